// What somebody who mistyped a word may have meant. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::cli {

// "; did you mean 'produce'?" with the candidate that differs from `word` in
// the fewest letters, if those are few for its length; else nothing.
std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates);

}  // namespace strata::cli
