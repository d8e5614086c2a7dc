#include "cold/fold.h"

#include <algorithm>
#include <iterator>

namespace strata {
namespace {

bool IsBelow(const ColdGroupRef& group, const ColdGroupRef& above) {
  return above.offsets.base <= group.offsets.base &&
         group.offsets.end <= above.offsets.end;
}

}  // namespace

// Higher levels lie in front, so that the oldest groups of a level are its
// first ones.
std::optional<ColdGroup> GroupDue(const ColdRoot& root, size_t group_size) {
  if (root.entries.size() >= group_size + group_size / 4) {
    return ColdGroup{
        .level = 0,
        .entries = ColdEntries(root.entries.begin(),
                               std::next(root.entries.begin(),
                                         static_cast<ptrdiff_t>(group_size))),
        .groups = {}};
  }
  for (auto first = root.groups.begin(); first != root.groups.end();) {
    const uint32_t level = first->level;
    const auto last = std::find_if(
        first, root.groups.end(),
        [&](const ColdGroupRef& group) { return group.level != level; });
    if (static_cast<size_t>(last - first) >= group_size) {
      return ColdGroup{
          .level = level + 1,
          .entries = {},
          .groups = {first, first + static_cast<ptrdiff_t>(group_size)}};
    }
    first = last;
  }
  return std::nullopt;
}

void PutGroup(ColdRoot& root, const ColdGroupRef& ref) {
  root.entries.erase(root.entries.lower_bound(ref.offsets.base),
                     root.entries.lower_bound(ref.offsets.end));
  std::erase_if(root.groups,
                [&](const ColdGroupRef& group) { return IsBelow(group, ref); });
  const auto behind =
      std::ranges::find_if(root.groups, [&](const ColdGroupRef& group) {
        return group.offsets.base >= ref.offsets.end;
      });
  root.groups.insert(behind, ref);
}

}  // namespace strata
