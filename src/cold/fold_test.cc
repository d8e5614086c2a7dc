#include "cold/fold.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

constexpr size_t kSize = 4;

SegmentEntry Entry(const PartitionId& partition, uint64_t n) {
  SegmentEntry e;
  e.id = n + 1;
  e.partition = partition;
  e.offsets = {Offset(n * 10), Offset(n * 10 + 10)};
  e.batch_count = 1;
  e.image_bytes = 100;
  e.cold = ColdAddress{"s" + std::to_string(n), 0, 100};
  return e;
}

ColdGroupRef RefTo(const ColdGroup& group) {
  return {.level = group.level,
          .offsets = group.offsets(),
          .totals = group.totals(),
          .key = "g",
          .object_bytes = 1,
          .object_crc32c = 0};
}

// The most that a root of many segments ever names is what it names of few.
TEST(FoldTest, RootStaysSmallHoweverManySegments) {
  const PartitionId partition;
  ColdRoot root;
  root.generation = 1;
  size_t most_entries = 0;
  size_t most_groups = 0;
  uint64_t written = 0;
  constexpr uint64_t kSegments = 20000;
  for (uint64_t n = 0; n < kSegments; ++n) {
    const SegmentEntry entry = Entry(partition, n);
    root.entries.emplace(entry.offsets.base, entry);
    while (const auto due = GroupDue(root, kSize)) {
      ASSERT_EQ(ValidateColdGroup(partition, *due), Status::Ok());
      PutGroup(root, RefTo(*due));
      ++written;
    }
    if (n % 97 == 0) {
      ASSERT_EQ(ValidateColdRoot(partition, root), Status::Ok()) << n;
    }
    ASSERT_EQ(root.cold_base(), Offset(0));
    ASSERT_EQ(root.cold_end(), entry.offsets.end);
    most_entries = std::max(most_entries, root.entries.size());
    most_groups = std::max(most_groups, root.groups.size());
  }
  EXPECT_EQ(root.totals().segments, kSegments);
  EXPECT_LE(most_entries, kSize);
  // Seven levels of fewer than four.
  EXPECT_LT(most_groups, 7 * kSize);
  // A geometric series: one in four, one in sixteen, ...
  EXPECT_LT(written, kSegments / 3);
}

TEST(FoldTest, TheNewestSegmentsStayInTheRoot) {
  ColdRoot root;
  for (uint64_t n = 0; n < kSize; ++n) {
    root.entries.emplace(Offset(n * 10), Entry({}, n));
  }
  EXPECT_FALSE(GroupDue(root, kSize).has_value());
  root.entries.emplace(Offset(40), Entry({}, 4));
  const auto due = GroupDue(root, kSize);
  ASSERT_TRUE(due.has_value());
  EXPECT_EQ(due->offsets(), (OffsetRange{Offset(0), Offset(40)}));
}

}  // namespace
}  // namespace strata
