#include "format/cold_topics_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/golden_file.h"

namespace strata {
namespace {

using ::testing::HasSubstr;

TopicId Id(int byte) {
  TopicId id;
  id.bytes.fill(static_cast<std::byte>(byte));
  return id;
}

// What the golden file holds.
ColdTopics SampleTopics() {
  ColdTopics topics;
  topics.generation = 7;
  TopicCreated clicks{.id = Id(0xab), .name = "clicks", .partitions = 3};
  clicks.settings.warm_max_age = std::chrono::hours(1);
  clicks.settings.target_segment_bytes = 128 << 20;
  topics.topics = {clicks, {.id = Id(0xcd), .name = "orders", .partitions = 1}};
  topics.extra = {{2, "kept"}};
  return topics;
}

TEST(ColdTopicsTest, ComeBackAsTheyWere) {
  const auto decoded =
      DecodeColdTopics(AsBytes(EncodeColdTopics(SampleTopics())));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, SampleTopics());
  EXPECT_EQ(decoded->Find(Id(0xcd))->name, "orders");
  EXPECT_EQ(decoded->Find(Id(0x01)), nullptr);
}

TEST(ColdTopicsTest, GoldenFileIsWhatTheCodeWritesAndReads) {
  const std::string golden = GoldenBytes("cold_topics_v1.hex");
  EXPECT_EQ(EncodeColdTopics(SampleTopics()), golden);
  const auto decoded = DecodeColdTopics(AsBytes(golden));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, SampleTopics());
}

TEST(ColdTopicsTest, DocumentShowsTheGoldenFile) {
  EXPECT_THAT(ReadSourceFile("docs/formats/cold-layout.md"),
              HasSubstr(ReadSourceFile("testing/golden/cold_topics_v1.hex")));
}

TEST(ColdTopicsTest, AnyFlippedBitAndAnyTruncationIsReported) {
  const std::string good = EncodeColdTopics(SampleTopics());
  for (size_t i = 0; i < good.size() * 8; ++i) {
    std::string bytes = good;
    bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    ASSERT_EQ(DecodeColdTopics(AsBytes(bytes)).status().code(),
              StatusCode::kDataLoss)
        << i;
  }
  for (size_t n = 0; n < good.size(); ++n) {
    ASSERT_EQ(DecodeColdTopics(AsBytes(good).first(n)).status().code(),
              StatusCode::kDataLoss);
  }
}

TEST(ColdTopicsTest, RulesAreChecked) {
  const auto refused = [](auto breaks) {
    ColdTopics topics = SampleTopics();
    breaks(topics);
    const Status status = ValidateColdTopics(topics);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    // Not read either, whatever the checksum says.
    EXPECT_EQ(
        DecodeColdTopics(AsBytes(EncodeColdTopics(topics))).status().code(),
        StatusCode::kDataLoss);
    return status.message();
  };
  EXPECT_THAT(refused([](ColdTopics& t) { t.generation = 0; }),
              HasSubstr("generation 0"));
  EXPECT_THAT(refused([](ColdTopics& t) { t.topics[1].id = Id(0xab); }),
              HasSubstr("is there twice"));
  EXPECT_THAT(refused([](ColdTopics& t) { t.topics[1].partitions = 0; }),
              HasSubstr("has no partition"));
  EXPECT_THAT(refused([](ColdTopics& t) { t.topics[1].name = "a/b"; }),
              HasSubstr("byte 0x2f at position 1"));
  // Of two stores.
  ColdTopics same = SampleTopics();
  same.topics[1].name = "clicks";
  EXPECT_EQ(ValidateColdTopics(same), Status::Ok());
}

TEST(ColdTopicsTest, UnknownRequiredFieldIsUnsupported) {
  ColdTopics topics = SampleTopics();
  topics.extra = {{5, "x"}};
  EXPECT_EQ(DecodeColdTopics(AsBytes(EncodeColdTopics(topics))).status().code(),
            StatusCode::kUnsupported);
  topics = SampleTopics();
  topics.topics[0].extra = {{5, "x"}};
  EXPECT_EQ(DecodeColdTopics(AsBytes(EncodeColdTopics(topics))).status().code(),
            StatusCode::kUnsupported);
}

}  // namespace
}  // namespace strata
