// The reference model is only worth something if it rejects wrong answers:
// each test shows it a right one and a wrong one.
#include "testing/reference_model.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

constexpr Durability kMemory = Durability::kMemory;
constexpr Durability kDisk = Durability::kDisk;

class PartitionModelTest : public testing::Test {
 protected:
  // Appends one batch of one record for each text, all or none.
  Status Append(std::vector<std::string> texts, Durability durability,
                std::optional<Offset> base = std::nullopt) {
    std::vector<PartitionModel::Payload> payloads;
    for (std::string& text : texts) {
      payloads.push_back({std::make_shared<std::string>(std::move(text)), 1});
    }
    const Offset from = base.value_or(model_.log_end());
    return model_.Issued({.base_offset = from,
                          .end_offset = from + texts.size(),
                          .epoch = model_.epoch(),
                          .durability = durability},
                         payloads, durability, base);
  }

  // What an honest store shows of the offsets from `from` up to `to`.
  std::vector<ObservedBatch> Honest(Offset from, Offset to) const {
    std::vector<ObservedBatch> observed;
    for (const ModelBatch& batch : model_.log()) {
      if (batch.offsets.end > from && batch.offsets.end <= to) {
        observed.push_back({batch.offsets, batch.epoch, AsBytes(*batch.bytes)});
      }
    }
    return observed;
  }

  Status Read(Offset from, std::vector<ObservedBatch> batches) {
    return model_.CheckRead(model_.BeginRead(from, {}), batches);
  }

  LogBounds BoundsUpTo(Offset end, Epoch epoch) const {
    return {.log_start = model_.log_start(),
            .cold_end = Offset(0),
            .durable_end = end,
            .visible_end = end,
            .log_end = end,
            .epoch = epoch};
  }

  // Opens a store that kept the log up to `end`.
  Status RestartAt(uint64_t end, bool clean = false) {
    const Epoch epoch(model_.epoch().value() + (clean ? 0 : 1));
    return model_.Restart({BoundsUpTo(Offset(end), epoch),
                           Honest(model_.log_start(), Offset(end))},
                          clean);
  }

  PartitionModel model_;
};

TEST_F(PartitionModelTest, AppendAtTheWrongOffsetIsRejected) {
  ASSERT_TRUE(Append({"a", "b"}, kDisk).ok());
  EXPECT_EQ(model_.log_end(), Offset(2));
  const PartitionModel::Payload payload{std::make_shared<std::string>("c"), 1};
  const AppendResult late{Offset(3), Offset(4), Epoch(0), kDisk};
  EXPECT_FALSE(model_.Issued(late, {&payload, 1}, kDisk).ok());
}

TEST_F(PartitionModelTest, ReadMustShowTheBytesAppended) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(Append({"b"}, kMemory).ok());
  ASSERT_TRUE(Append({"c"}, kMemory).ok());
  const std::vector<ObservedBatch> right = Honest(Offset(0), Offset(3));
  EXPECT_TRUE(Read(Offset(0), right).ok());
  EXPECT_TRUE(Read(Offset(1), {right[1]}).ok()) << "a read may stop early";

  std::vector<ObservedBatch> changed = right;
  changed[1].bytes = AsBytes("x");
  EXPECT_FALSE(Read(Offset(0), changed).ok());
  std::vector<ObservedBatch> older = right;
  older[1].epoch = Epoch(7);
  EXPECT_FALSE(Read(Offset(0), older).ok());
  EXPECT_FALSE(Read(Offset(0), {right[1], right[0], right[2]}).ok());
  EXPECT_FALSE(Read(Offset(0), {right[0], right[2]}).ok());
  EXPECT_FALSE(Read(Offset(0), {right[1]}).ok());
  EXPECT_FALSE(Read(Offset(1), {right[0], right[1]}).ok());
  EXPECT_FALSE(Read(Offset(0), {right[0], right[0]}).ok());
  EXPECT_FALSE(Read(Offset(0), {}).ok());
  std::vector<ObservedBatch> more = right;
  more.push_back({{Offset(3), Offset(4)}, Epoch(0), AsBytes("d")});
  EXPECT_FALSE(Read(Offset(0), more).ok());
}

TEST_F(PartitionModelTest, ReadFromAGapShowsTheNextBatch) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(Append({"b"}, kMemory, Offset(10)).ok());
  EXPECT_TRUE(Read(Offset(4), Honest(Offset(10), Offset(11))).ok());
  EXPECT_FALSE(Read(Offset(4), {}).ok());
}

TEST_F(PartitionModelTest, ReadHonoursLimitAndSize) {
  ASSERT_TRUE(Append({"aaaa"}, kMemory).ok());
  ASSERT_TRUE(Append({"bbbb"}, kMemory).ok());
  const std::vector<ObservedBatch> both = Honest(Offset(0), Offset(2));
  ReadOptions few_bytes;
  few_bytes.max_bytes = 7;
  const auto small = model_.BeginRead(Offset(0), few_bytes);
  EXPECT_FALSE(model_.CheckRead(small, both).ok());
  EXPECT_TRUE(model_.CheckRead(small, std::span(both).first(1)).ok());
  ReadOptions options;
  options.limit_offset = Offset(1);
  const auto limited = model_.BeginRead(Offset(0), options);
  EXPECT_FALSE(model_.CheckRead(limited, both).ok());
  EXPECT_TRUE(model_.CheckRead(limited, std::span(both).first(1)).ok());
  EXPECT_TRUE(model_.CheckRead(model_.BeginRead(Offset(1), options), {}).ok());
}

TEST_F(PartitionModelTest, BatchThatIsNotDurableNeedNotBeVisible) {
  ASSERT_TRUE(Append({"a"}, kDisk).ok());
  ASSERT_TRUE(Append({"b"}, kMemory).ok());
  EXPECT_TRUE(Read(Offset(0), {}).ok());
  model_.Durable(Offset(1));
  EXPECT_FALSE(Read(Offset(0), {}).ok());
}

TEST_F(PartitionModelTest, OutOfRangeInsideTheLogIsRejected) {
  ASSERT_TRUE(Append({"a", "b"}, kMemory).ok());
  model_.BeginTrim(Offset(1));
  EXPECT_TRUE(model_.CheckOutOfRange(model_.BeginRead(Offset(0), {})).ok());
  EXPECT_TRUE(model_.CheckOutOfRange(model_.BeginRead(Offset(3), {})).ok());
  EXPECT_FALSE(model_.CheckOutOfRange(model_.BeginRead(Offset(1), {})).ok());
}

TEST_F(PartitionModelTest, BoundsMustFollowWhatWasAcknowledged) {
  ASSERT_TRUE(Append({"a", "b"}, kDisk).ok());
  LogBounds bounds = BoundsUpTo(Offset(2), Epoch(0));
  EXPECT_TRUE(model_.CheckBounds(bounds).ok());
  bounds.visible_end = Offset(1);
  EXPECT_FALSE(model_.CheckBounds(bounds).ok()) << "durable, so visible";
  bounds = BoundsUpTo(Offset(1), Epoch(0));
  EXPECT_FALSE(model_.CheckBounds(bounds).ok());
  bounds = BoundsUpTo(Offset(2), Epoch(0));
  bounds.log_start = Offset(1);
  EXPECT_FALSE(model_.CheckBounds(bounds).ok());
  model_.BeginTrim(Offset(1));
  EXPECT_TRUE(model_.CheckBounds(bounds).ok());
}

TEST_F(PartitionModelTest, BatchAcknowledgedOnDiskMustSurviveACrash) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(Append({"b"}, kDisk).ok());
  ASSERT_TRUE(Append({"c"}, kMemory).ok());
  model_.Durable(Offset(2));
  EXPECT_FALSE(RestartAt(1).ok());
  EXPECT_TRUE(RestartAt(2).ok());
  EXPECT_EQ(model_.log().size(), 2u);
  EXPECT_FALSE(RestartAt(0).ok()) << "what was seen once is certain";
}

TEST_F(PartitionModelTest, BatchThatWasReadMustSurviveACrash) {
  ASSERT_TRUE(Append({"a"}, kDisk).ok());
  ASSERT_TRUE(Read(Offset(0), Honest(Offset(0), Offset(1))).ok());
  EXPECT_FALSE(RestartAt(0).ok());
}

TEST_F(PartitionModelTest, CrashMayKeepWhatWasNotAcknowledged) {
  ASSERT_TRUE(Append({"a"}, kDisk).ok());
  ASSERT_TRUE(Append({"b"}, kMemory).ok());
  EXPECT_TRUE(RestartAt(2).ok());
}

TEST_F(PartitionModelTest, AtomicAppendMustNotBeCutByACrash) {
  ASSERT_TRUE(Append({"a", "b", "c"}, kDisk).ok());
  EXPECT_FALSE(RestartAt(1).ok());
  EXPECT_FALSE(RestartAt(2).ok());
  EXPECT_TRUE(RestartAt(0).ok());
}

TEST_F(PartitionModelTest, CrashMustNotLeaveAHole) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(Append({"b"}, kMemory).ok());
  ObservedLog log{BoundsUpTo(Offset(2), Epoch(1)),
                  Honest(Offset(1), Offset(2))};
  EXPECT_FALSE(model_.Restart(log, false).ok());
  log.batches = Honest(Offset(0), Offset(1));
  EXPECT_FALSE(model_.Restart(log, false).ok());
  log.batches = Honest(Offset(0), Offset(2));
  EXPECT_TRUE(model_.Restart(log, false).ok());
}

TEST_F(PartitionModelTest, CrashMustBeginAnEpoch) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  EXPECT_FALSE(
      model_.Restart({BoundsUpTo(Offset(0), Epoch(0)), {}}, false).ok());
  EXPECT_TRUE(
      model_.Restart({BoundsUpTo(Offset(0), Epoch(1)), {}}, false).ok());
}

TEST_F(PartitionModelTest, OffsetMustNotShowOtherBytesUnderItsEpoch) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(RestartAt(0).ok());
  const PartitionModel::Payload payload{std::make_shared<std::string>("b"), 1};
  AppendResult result{Offset(0), Offset(1), Epoch(0), kMemory};
  EXPECT_FALSE(model_.Issued(result, {&payload, 1}, kMemory).ok());
  result.epoch = Epoch(1);
  EXPECT_TRUE(model_.Issued(result, {&payload, 1}, kMemory).ok());
}

TEST_F(PartitionModelTest, CleanRestartMustKeepAll) {
  ASSERT_TRUE(Append({"a"}, kMemory).ok());
  ASSERT_TRUE(Append({"b"}, kMemory).ok());
  EXPECT_FALSE(RestartAt(1, true).ok());
  EXPECT_TRUE(RestartAt(2, true).ok());
}

TEST_F(PartitionModelTest, TruncatedBatchMustNotReturn) {
  ASSERT_TRUE(Append({"a"}, kDisk).ok());
  ASSERT_TRUE(Append({"b"}, kDisk).ok());
  model_.Durable(Offset(2));
  const std::vector<ObservedBatch> all = Honest(Offset(0), Offset(2));
  EXPECT_TRUE(model_.MayTruncate(Offset(1), Epoch(1)));
  EXPECT_FALSE(model_.MayTruncate(Offset(1), Epoch(0)));
  model_.BeginTruncate(Offset(1), Epoch(1));
  EXPECT_TRUE(Read(Offset(0), all).ok()) << "it is not done yet";
  const auto begun_before = model_.BeginRead(Offset(0), {});
  model_.EndTruncate(Outcome::kDone);
  EXPECT_TRUE(model_.CheckRead(begun_before, all).ok());
  EXPECT_FALSE(Read(Offset(0), all).ok());
  EXPECT_FALSE(
      model_.Restart({BoundsUpTo(Offset(2), Epoch(2)), all}, false).ok());
  EXPECT_FALSE(RestartAt(0).ok());
  EXPECT_TRUE(RestartAt(1).ok());
}

TEST_F(PartitionModelTest, CrashDuringATruncationGivesBeforeOrAfter) {
  for (const uint64_t end : {1u, 2u, 3u}) {
    PartitionModelTest::model_ = PartitionModel();
    ASSERT_TRUE(Append({"a"}, kDisk).ok());
    ASSERT_TRUE(Append({"b"}, kDisk).ok());
    ASSERT_TRUE(Append({"c"}, kDisk).ok());
    model_.Durable(Offset(3));
    model_.BeginTruncate(Offset(1), Epoch(1));
    EXPECT_EQ(RestartAt(end).ok(), end != 2) << end;
  }
}

TEST_F(PartitionModelTest, TrimmedOffsetsMustNotReturn) {
  ASSERT_TRUE(Append({"a"}, kDisk).ok());
  ASSERT_TRUE(Append({"b"}, kDisk).ok());
  model_.Durable(Offset(2));
  model_.BeginTrim(Offset(1));
  model_.EndTrim(Offset(1), Outcome::kDone);
  LogBounds bounds = BoundsUpTo(Offset(2), Epoch(1));
  bounds.log_start = Offset(0);
  EXPECT_FALSE(
      model_.Restart({bounds, Honest(Offset(0), Offset(2))}, false).ok());
  EXPECT_TRUE(RestartAt(2).ok());
}

TEST_F(PartitionModelTest, EpochEndMustNotSplitItsBatches) {
  ASSERT_TRUE(Append({"a", "b"}, kDisk).ok());
  ASSERT_TRUE(RestartAt(2).ok());
  ASSERT_TRUE(Append({"c"}, kDisk).ok());
  EXPECT_TRUE(model_.CheckEpochEnd(Epoch(0), {Epoch(0), Offset(2)}).ok());
  EXPECT_FALSE(model_.CheckEpochEnd(Epoch(0), {Epoch(0), Offset(3)}).ok());
  EXPECT_FALSE(model_.CheckEpochEnd(Epoch(0), {Epoch(0), Offset(1)}).ok());
  EXPECT_FALSE(model_.CheckEpochEnd(Epoch(0), {Epoch(1), Offset(2)}).ok());
  EXPECT_TRUE(model_.CheckEpochEnd(Epoch(9), {Epoch(1), Offset(3)}).ok());
}

TopicId Id(uint8_t number) {
  TopicId id;
  id.bytes[0] = std::byte{number};
  return id;
}

TEST(ReferenceModelTest, RecreatedTopicIsAnotherOne) {
  ReferenceModel model;
  const TopicInfo first{"a", Id(1), 1, {}};
  model.BeginCreate("a", 1);
  ASSERT_TRUE(model.EndCreate("a", &first).ok());
  model.BeginDelete("a");
  model.EndDelete("a", Id(1), Outcome::kDone);
  model.BeginCreate("a", 1);
  EXPECT_FALSE(model.EndCreate("a", &first).ok());
  const TopicInfo second{"a", Id(2), 1, {}};
  EXPECT_TRUE(model.EndCreate("a", &second).ok());
  EXPECT_TRUE(model.Restart({&second, 1}).ok());
  EXPECT_FALSE(model.Restart({&first, 1}).ok());
}

TEST(ReferenceModelTest, TopicMayOnlyVanishWhenItsDeletionWasAskedFor) {
  ReferenceModel model;
  const TopicInfo info{"a", Id(1), 2, {}};
  model.BeginCreate("a", 2);
  ASSERT_TRUE(model.EndCreate("a", &info).ok());
  EXPECT_FALSE(model.Restart({}).ok());
  model.BeginDelete("a");
  EXPECT_TRUE(model.Restart({}).ok());
  EXPECT_EQ(model.Find("a"), nullptr);
  EXPECT_FALSE(model.Restart({&info, 1}).ok()) << "and must not return";
}

TEST(ReferenceModelTest, CreationInFlightMayHaveHappened) {
  ReferenceModel model;
  const TopicInfo info{"a", Id(1), 2, {}};
  EXPECT_FALSE(model.Restart({&info, 1}).ok());
  model.BeginCreate("a", 2);
  EXPECT_TRUE(model.Restart({&info, 1}).ok());
  EXPECT_NE(model.Find("a"), nullptr);
}

}  // namespace
}  // namespace strata
