#include "cli/suggest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace strata::cli {
namespace {

// Letters to insert, drop or change to make `a` into `b`; two neighbours that
// changed places count as one.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1,
                                     std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1,
                          d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates) {
  constexpr size_t kLongest = 100;  // nobody mistypes so long a word
  if (word.size() < 3 || word.size() > kLongest) return "";
  size_t least = word.size() / 3 + 1;
  std::string_view closest;
  for (const std::string& candidate : candidates) {
    const size_t distance = Distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    closest = candidate;
  }
  return closest.empty() ? "" : fmt::format("; did you mean '{}'?", closest);
}

}  // namespace strata::cli
