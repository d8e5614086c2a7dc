#include "strata/types.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace strata {
namespace {

template <typename T>
std::string Shown(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

TEST(TypesTest, OffsetsCount) {
  EXPECT_EQ(Offset(5) + 3, Offset(8));
  EXPECT_EQ(Offset(8) - Offset(5), 3u);
  EXPECT_LT(Offset(5), Offset(8));
  EXPECT_EQ(Shown(Offset(5)), "5");
}

TEST(TypesTest, RangesAreHalfOpen) {
  constexpr OffsetRange kRange{Offset(5), Offset(8)};
  EXPECT_FALSE(kRange.Contains(Offset(4)));
  EXPECT_TRUE(kRange.Contains(Offset(5)));
  EXPECT_TRUE(kRange.Contains(Offset(7)));
  EXPECT_FALSE(kRange.Contains(Offset(8)));
  EXPECT_EQ(kRange.size(), 3u);
  EXPECT_EQ(Shown(kRange), "[5, 8)");
}

TEST(TypesTest, RangeThatEndsAtOrBeforeItsBaseIsEmpty) {
  for (const uint64_t end : {5u, 4u}) {
    const OffsetRange range{Offset(5), Offset(end)};
    EXPECT_TRUE(range.empty());
    EXPECT_EQ(range.size(), 0u);
    EXPECT_FALSE(range.Contains(Offset(5)));
  }
}

TEST(TypesTest, TopicIdReadsBackItsText) {
  const std::string hex = "00112233445566778899aabbccddeeff";
  const std::optional<TopicId> id = TopicId::FromString(hex);
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->bytes[1], std::byte{0x11});
  EXPECT_EQ(id->bytes[15], std::byte{0xff});
  EXPECT_EQ(id->ToString(), hex);
  EXPECT_EQ(Shown(*id), hex);
}

TEST(TypesTest, MalformedTopicIdIsRefused) {
  const std::string good = "00112233445566778899aabbccddeeff";
  EXPECT_FALSE(TopicId::FromString(""));
  EXPECT_FALSE(TopicId::FromString(good.substr(1)));
  EXPECT_FALSE(TopicId::FromString(good + "0"));
  for (const char bad : {'g', 'F', '/', ':', '`', ' ', '\0'}) {
    std::string text = good;
    text[7] = bad;
    EXPECT_FALSE(TopicId::FromString(text)) << bad;
  }
}

TEST(TypesTest, PartitionNamesTopicAndNumber) {
  EXPECT_EQ((TopicPartition{"orders", 3}.ToString()), "orders/3");
}

TEST(TypesTest, TiersLeadFromHotToColdAndBack) {
  EXPECT_EQ(Demote(StorageTier::kHot), StorageTier::kWarm);
  EXPECT_EQ(Demote(StorageTier::kWarm), StorageTier::kCold);
  EXPECT_EQ(Demote(StorageTier::kCold), std::nullopt);
  EXPECT_EQ(Promote(StorageTier::kCold), StorageTier::kWarm);
  EXPECT_EQ(Promote(StorageTier::kWarm), StorageTier::kHot);
  EXPECT_EQ(Promote(StorageTier::kHot), std::nullopt);
}

TEST(TypesTest, NamesAreThoseUsersWrite) {
  EXPECT_EQ(Shown(StorageTier::kHot), "hot");
  EXPECT_EQ(Name(StorageTier::kWarm), "warm");
  EXPECT_EQ(Name(StorageTier::kCold), "cold");
  EXPECT_EQ(Name(Durability::kMemory), "memory");
  EXPECT_EQ(Name(Durability::kDisk), "disk");
  EXPECT_EQ(Name(BatchFormat::kOpaque), "opaque");
  EXPECT_EQ(Name(BatchFormat::kKafkaV2), "kafka-v2");
  EXPECT_EQ(Name(BatchFormat::kSeedMessages), "seed-messages");
  EXPECT_EQ(Name(static_cast<StorageTier>(9)), "invalid");
}

}  // namespace
}  // namespace strata
