// The bucket's root, not the local cold end, says what is cold: a bucket that
// was emptied, is not mounted or is an older copy costs no local copy, and what
// is missing is told.
#include <gmock/gmock.h>

#include "testing/engine_fixture.h"
#include "testing/object_store_client.h"

namespace strata::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Lines final : public LogSink {
 public:
  void Log(LogLevel level, std::string_view message) override {
    if (level >= LogLevel::kWarning) lines_.emplace_back(message);
  }
  size_t Count(std::string_view text) const {
    size_t count = 0;
    for (const std::string& line : lines_) {
      count += line.find(text) != std::string::npos;
    }
    return count;
  }

 private:
  std::vector<std::string> lines_;
};

class EngineColdTruthTest : public EngineTest {
 protected:
  void OpenLogged() {
    auto engine = Engine::Open(config_, {.runtime = runtime_,
                                         .data_fs = *data_,
                                         .warm_fs = *warm_,
                                         .cold = cold_,
                                         .log = log_,
                                         .executor = executor_});
    ASSERT_TRUE(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
  }
  void Reopen(std::shared_ptr<ObjectStore> bucket) {
    Close();
    cold_ = std::move(bucket);
    OpenLogged();
    p_ = Find("t");
  }
  std::shared_ptr<ObjectStore> EmptyBucket() {
    return MakeMemoryObjectStore(runtime_);
  }

  void Empty(ObjectStore& bucket) {
    ObjectStoreClient client(bucket, runtime_);
    for (const std::string& key : client.Keys()) {
      EXPECT_TRUE(client.Delete(key).ok()) << key;
    }
  }
  // Another bucket with the same objects.
  std::shared_ptr<ObjectStore> CopyOf(ObjectStore& bucket) {
    std::shared_ptr<ObjectStore> copy = EmptyBucket();
    Restore(bucket, *copy);
    return copy;
  }
  void Restore(ObjectStore& saved, ObjectStore& bucket) {
    ObjectStoreClient from(saved, runtime_);
    ObjectStoreClient to(bucket, runtime_);
    for (const std::string& key : from.Keys()) {
      const Result<std::string> bytes = from.Get(key);
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      EXPECT_TRUE(to.Put(key, *bytes).ok()) << key;
    }
  }

  // One cold segment for each text.
  void Offload(std::initializer_list<std::string_view> texts) {
    for (const std::string_view text : texts) {
      ASSERT_TRUE(Append(*p_, text).ok());
      const Status status = Demote(p_, StorageTier::kCold);
      ASSERT_TRUE(status.ok()) << status;
    }
  }
  void Begin(std::initializer_list<std::string_view> texts) {
    OpenLogged();
    p_ = Topic("t");
    Offload(texts);
  }

  Status Migrate() {
    return Do([&](auto done) { engine_->RunMigrations(std::move(done)); });
  }
  std::vector<std::string> Findings() {
    const auto report = Await<Result<VerifyReport>>(
        runtime_, [&](auto done) { engine_->Verify({}, std::move(done)); });
    EXPECT_TRUE(report.ok()) << report.status();
    std::vector<std::string> details;
    for (const VerifyFinding& finding : report->findings) {
      details.push_back(finding.detail);
    }
    return details;
  }

  std::shared_ptr<Lines> log_ = std::make_shared<Lines>();
  PartitionPtr p_;
};

TEST_F(EngineColdTruthTest, NothingIsDroppedWhenTheBucketWasEmptied) {
  Begin({"a", "b"});
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  Reopen(EmptyBucket());
  for (int i = 0; i < 3; ++i) {
    const Status status = Demote(p_, StorageTier::kCold);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(status.message(),
                HasSubstr("expected offsets [0, 2) of root generation 3, found "
                          "[0, 0) of generation 0"));
  }
  EXPECT_EQ(ReadAll(p_), "w:a w:b");
  EXPECT_EQ(log_->Count("nothing is offloaded or dropped"), 1u);
  Close();
}

TEST_F(EngineColdTruthTest, NothingIsOffloadedIntoABucketThatWasEmptied) {
  Begin({"a"});
  Reopen(EmptyBucket());
  ASSERT_TRUE(Append(*p_, "b").ok());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Demote(p_, StorageTier::kCold).code(), StatusCode::kDataLoss);
  }
  EXPECT_EQ(engine_->Stats().cold_puts, 0u);
  EXPECT_EQ(ReadAll(p_, 1), "w:b");
  Close();
}

TEST_F(EngineColdTruthTest, NothingIsMovedOnTheWordOfAnOlderBucket) {
  Begin({"a"});
  const auto older = CopyOf(*cold_);
  Offload({"b"});
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  Reopen(older);
  ASSERT_TRUE(Append(*p_, "c").ok());
  const Status status = Demote(p_, StorageTier::kCold);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("expected offsets [0, 2) of root "
                                          "generation 3, found [0, 1)"));
  EXPECT_EQ(engine_->Stats().cold_puts, 0u);
  EXPECT_EQ(ReadAll(p_), "w:a w:b w:c");
  Close();
}

TEST_F(EngineColdTruthTest, WhatAnOlderBucketHasIsRead) {
  Begin({"a"});
  const auto older = CopyOf(*cold_);
  Offload({"b"});
  Reopen(older);
  EXPECT_THAT(ReadAll(p_), HasSubstr("c:aDataLoss"));
  EXPECT_EQ(Promote(p_, StorageTier::kWarm).code(), StatusCode::kDataLoss);
  EXPECT_THAT(ReadAll(p_), HasSubstr("w:aDataLoss"));
  Close();
}

TEST_F(EngineColdTruthTest, ABucketEmptiedUnderAnOpenStoreTakesNoOffload) {
  Begin({"a"});
  Empty(*cold_);
  ASSERT_TRUE(Append(*p_, "b").ok());
  const Status status = Demote(p_, StorageTier::kCold);
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
  EXPECT_EQ(ReadAll(p_, 1), "w:b");
  const uint64_t puts = engine_->Stats().cold_puts;
  EXPECT_EQ(Demote(p_, StorageTier::kCold).code(), StatusCode::kDataLoss);
  EXPECT_EQ(engine_->Stats().cold_puts, puts);
  Close();
}

TEST_F(EngineColdTruthTest,
       ThePolicyMovesNothingAndSaysSoUntilTheBucketIsBack) {
  config_.warm_tier_max_age = std::chrono::seconds(1);
  Begin({"a", "b"});
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  const auto saved = CopyOf(*cold_);
  Empty(*cold_);
  Reopen(cold_);
  for (int pass = 0; pass < 4; ++pass) {
    runtime_.RunFor(std::chrono::hours(1));
    (void)Migrate().ok();
  }
  EXPECT_EQ(Migrate().code(), StatusCode::kDataLoss);
  EXPECT_EQ(ReadAll(p_), "w:a w:b");
  EXPECT_EQ(log_->Count("nothing is offloaded or dropped"), 1u);
  Restore(*saved, *cold_);
  EXPECT_TRUE(Migrate().ok());
  runtime_.RunFor(std::chrono::hours(1));
  EXPECT_TRUE(Migrate().ok());
  EXPECT_EQ(ReadAll(p_), "c:a c:b");
  Close();
}

TEST_F(EngineColdTruthTest, TrimmingWhatIsMissingLetsTheLogGoOn) {
  Begin({"a"});
  Reopen(EmptyBucket());
  ASSERT_TRUE(Append(*p_, "b").ok());
  EXPECT_EQ(Demote(p_, StorageTier::kCold).code(), StatusCode::kDataLoss);
  const Status trimmed =
      Do([&](auto done) { engine_->Trim(p_, Offset(1), std::move(done)); });
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  const Status status = Demote(p_, StorageTier::kCold);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(ReadAll(p_, 1), "c:b");
  EXPECT_THAT(Findings(), IsEmpty());
  Close();
}

// ---- verify ----------------------------------------------------------------

TEST_F(EngineColdTruthTest, VerifyNamesWhatNeitherBucketNorWarmHas) {
  Begin({"a", "b"});
  EXPECT_THAT(Findings(), IsEmpty());
  Reopen(EmptyBucket());
  EXPECT_THAT(
      Findings(),
      ElementsAre(HasSubstr("root (generation 0, expected 3) lacks offsets [0, "
                            "2)"),
                  HasSubstr("no segment, local or cold, owns offsets [0, 2)")));
  Close();
}

TEST_F(EngineColdTruthTest, VerifyNamesWhatOnlyWarmCopiesAreLeftOf) {
  Begin({"a"});
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  Reopen(EmptyBucket());
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("lacks offsets [0, 1)")));
  Close();
}

TEST_F(EngineColdTruthTest, VerifyNamesWhatAnOlderBucketLacks) {
  Begin({"a"});
  const auto older = CopyOf(*cold_);
  Offload({"b", "c"});
  Reopen(older);
  EXPECT_THAT(Findings(), ElementsAre(HasSubstr("lacks offsets [1, 3)"),
                                      HasSubstr("owns offsets [1, 3)")));
  Close();
}

// ---- cold storage disabled -------------------------------------------------

TEST_F(EngineColdTruthTest, ReadsOfColdOffsetsNameTheDisabledColdStorage) {
  Begin({"a", "b"});
  ASSERT_TRUE(Append(*p_, "c").ok());
  Reopen(nullptr);
  const auto read = Read(p_, 1);
  EXPECT_EQ(read.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(read.status().message(),
            "offset 1 of t/0 lies in cold storage, which is disabled");
  EXPECT_THAT(ReadAll(p_, 2), HasSubstr(":c"));
  EXPECT_EQ(log_->Count("t/0: offsets from 0 to 2 lie in cold storage, which "
                        "is disabled"),
            1u);
  EXPECT_THAT(Findings(), ElementsAre("offsets [0, 2) lie in cold storage, "
                                      "which is disabled"));
  Close();
}

TEST_F(EngineColdTruthTest, WithColdDisabledWarmCopiesAreReadAndNothingIsSaid) {
  Begin({"a"});
  ASSERT_TRUE(Promote(p_, StorageTier::kWarm).ok());
  Reopen(nullptr);
  EXPECT_EQ(ReadAll(p_), "w:a");
  EXPECT_EQ(log_->Count("disabled"), 0u);
  EXPECT_THAT(Findings(), IsEmpty());
  Close();
}

}  // namespace
}  // namespace strata::engine
