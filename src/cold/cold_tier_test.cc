#include "cold/cold_tier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "cold/object_names.h"
#include "cold/upload.h"
#include "object_store/instrumented_object_store.h"
#include "object_store/memory/memory_object_store.h"
#include "testing/faulty_object_store.h"
#include "testing/object_store_client.h"
#include "testing/segment_samples.h"
#include "testing/sim_runtime.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using Batches = std::vector<BatchView>;
using namespace std::chrono_literals;

class ColdTierTest : public testing::Test {
 protected:
  static constexpr uint64_t kChunk = 16 * 1024;

  ColdTierTest() { OpenTier({}); }

  void OpenTier(ColdOptions options) {
    if (options.chunk_bytes == ColdOptions{}.chunk_bytes) {
      options.chunk_bytes = kChunk;
    }
    tier = std::make_unique<ColdTier>(counted, runtime, options);
  }

  // Batches of `payload_bytes` each, from offset 0 on, ten offsets a batch.
  SampleImage Image(size_t count, size_t payload_bytes, uint64_t id = 7) {
    SampleBatches sample;
    sample.AddMany(0, count, payload_bytes);
    return MakeImage(sample.Spec(id), sample.batches());
  }

  Result<ColdAddress> Upload(const SampleImage& image,
                             std::stop_token cancel = {}) {
    return Await<Result<ColdAddress>>(runtime, [&](auto done) {
      tier->Upload(image.entry, 1, "orders", MakeStringSource(image.bytes),
                   cancel, std::move(done));
    });
  }
  // The image's entry with the address of a good upload.
  SegmentEntry Uploaded(const SampleImage& image) {
    const auto address = Upload(image);
    EXPECT_TRUE(address.ok()) << address.status();
    SegmentEntry entry = image.entry;
    if (address.ok()) entry.cold = *address;
    return entry;
  }

  Result<Batches> Read(const SegmentEntry& entry, uint64_t start,
                       uint64_t max_bytes = UINT64_MAX,
                       uint64_t end = UINT64_MAX) {
    return Await<Result<Batches>>(runtime, [&](auto done) {
      tier->Read(
          entry,
          {.start = Offset(start), .end = Offset(end), .max_bytes = max_bytes},
          std::move(done));
    });
  }

  // What `count` batches of AddMany hold, from `first` on.
  static void ExpectBatches(const Result<Batches>& batches, size_t first,
                            size_t count, size_t payload_bytes) {
    ASSERT_TRUE(batches.ok()) << batches.status();
    ASSERT_EQ(batches->size(), count);
    for (size_t i = 0; i < count; ++i) {
      const BatchView& batch = (*batches)[i];
      const uint64_t base = (first + i) * 10;
      ASSERT_EQ(batch.offsets(),
                (OffsetRange{Offset(base), Offset(base + 10)}));
      std::string payload = std::to_string(base) + ":";
      payload.resize(std::max(payload.size(), payload_bytes),
                     static_cast<char>('a' + (first + i) % 26));
      ASSERT_EQ(AsText(batch.bytes()), payload);
      ASSERT_EQ(batch.tier(), StorageTier::kCold);
      ASSERT_EQ(batch.status(), Status::Ok());
    }
  }

  uint64_t gets() const { return counted->counters().gets; }
  uint64_t bytes_got() const { return counted->counters().bytes_got; }

  SimRuntime runtime{11};
  std::shared_ptr<ObjectStore> memory = MakeMemoryObjectStore(runtime);
  std::shared_ptr<FaultyObjectStore> faulty =
      std::make_shared<FaultyObjectStore>(memory, runtime, 11);
  std::shared_ptr<InstrumentedObjectStore> counted =
      std::make_shared<InstrumentedObjectStore>(faulty, runtime.clock());
  ObjectStoreClient bucket{*memory, runtime};
  std::unique_ptr<ColdTier> tier;
};

// --- reading ---

TEST_F(ColdTierTest, WhatWasUploadedIsRead) {
  for (const size_t payload : {10, 100, 5000, 40000}) {
    const SegmentEntry entry = Uploaded(Image(30, payload, payload));
    ExpectBatches(Read(entry, 0), 0, 30, payload);
  }
}

TEST_F(ColdTierTest, WindowIsHonoured) {
  const SegmentEntry entry = Uploaded(Image(30, 1000));
  ExpectBatches(Read(entry, 105), 10, 20, 1000);
  ExpectBatches(Read(entry, 110, 3500), 11, 3, 1000);
  ExpectBatches(Read(entry, 0, 0), 0, 1, 1000);
  ExpectBatches(Read(entry, 0, UINT64_MAX, 50), 0, 5, 1000);
  ExpectBatches(Read(entry, 300), 30, 0, 1000);
  const auto none = Await<Result<Batches>>(runtime, [&](auto done) {
    tier->Read(entry,
               {.start = Offset(0),
                .end = Offset(300),
                .max_bytes = 999,
                .at_least_one = false},
               std::move(done));
  });
  ExpectBatches(none, 0, 0, 1000);
}

TEST_F(ColdTierTest, OnlyTheLogicalRangeIsRead) {
  SegmentEntry entry = Uploaded(Image(30, 1000));
  entry.offsets = {Offset(100), Offset(200)};
  ExpectBatches(Read(entry, 0), 10, 10, 1000);
}

TEST_F(ColdTierTest, SmallReadOfALargeSegmentFetchesLittle) {
  const SegmentEntry entry = Uploaded(Image(1000, 2000));
  const uint64_t gets_before = gets();
  const uint64_t bytes_before = bytes_got();
  ExpectBatches(Read(entry, 5000, 100), 500, 1, 2000);
  // The index at the end, and the batch.
  EXPECT_LE(gets() - gets_before, 6u);
  EXPECT_LE(bytes_got() - bytes_before, 6 * kChunk);
  const uint64_t gets_between = gets();
  ExpectBatches(Read(entry, 5000, 100), 500, 1, 2000);
  EXPECT_EQ(gets(), gets_between);
}

TEST_F(ColdTierTest, OneRequestPerChunkHoweverManyReaders) {
  const SegmentEntry entry = Uploaded(Image(3, 1000));
  const uint64_t before = gets();
  faulty->SetChances({.max_delay = 20ms});
  int answered = 0;
  for (int i = 0; i < 50; ++i) {
    tier->Read(entry, {.start = Offset(0), .end = Offset(30), .max_bytes = 1},
               [&](Result<Batches> batches) {
                 ++answered;
                 EXPECT_TRUE(batches.ok()) << batches.status();
               });
  }
  EXPECT_EQ(answered, 0) << "inside the call";
  runtime.RunFor(1s);
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(gets() - before, 1u);
}

TEST_F(ColdTierTest, ScanFetchesEachChunkOnceAndAhead) {
  const SegmentEntry entry = Uploaded(Image(100, 3000));
  const uint64_t before = gets();
  ExpectBatches(Read(entry, 0, 3000), 0, 1, 3000);
  ExpectBatches(Read(entry, 10, 3000), 1, 1, 3000);
  runtime.RunUntilIdle();
  // It went on: the chunk behind is on its way before it is asked for.
  const uint64_t ahead = gets();
  EXPECT_EQ(ahead - before, 3u);
  for (size_t i = 2; i < 100; ++i) {
    ExpectBatches(Read(entry, i * 10, 3000), i, 1, 3000);
  }
  runtime.RunUntilIdle();
  const uint64_t chunks = (entry.image_bytes + kChunk - 1) / kChunk;
  EXPECT_EQ(gets() - before, chunks);
  EXPECT_EQ(bytes_got(), 2 * entry.image_bytes);  // read back once
}

TEST_F(ColdTierTest, BatchWithinAChunkIsNotCopied) {
  const SegmentEntry entry = Uploaded(Image(20, 100));
  const auto first = Read(entry, 0);
  const auto second = Read(entry, 0);
  ASSERT_TRUE(first.ok() && second.ok());
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ((*first)[i].bytes().data(), (*second)[i].bytes().data());
  }
}

TEST_F(ColdTierTest, ViewsOutliveCacheObjectAndTier) {
  OpenTier({.cache_max_bytes = kChunk});
  const SegmentEntry entry = Uploaded(Image(100, 3000));
  const auto batches = Read(entry, 0);
  const auto deleted = Await<Status>(
      runtime, [&](auto done) { tier->Delete(*entry.cold, std::move(done)); });
  EXPECT_EQ(deleted, Status::Ok());
  tier.reset();
  ExpectBatches(batches, 0, 100, 3000);
}

TEST_F(ColdTierTest, CacheStaysWithinItsBound) {
  OpenTier({.cache_max_bytes = 4 * kChunk});
  const SegmentEntry entry = Uploaded(Image(200, 3000));
  ExpectBatches(Read(entry, 0), 0, 200, 3000);
  const auto stats = tier->stats();
  EXPECT_GT(stats.cache_bytes, 3 * kChunk);
  EXPECT_LE(stats.cache_bytes, 4 * kChunk + 8192);  // and the index
  EXPECT_GT(stats.cache_misses, 30u);
  EXPECT_EQ(stats.requests_in_flight, 0u);
}

TEST_F(ColdTierTest, CacheOfNothingStillReads) {
  OpenTier({.cache_max_bytes = 0});
  const SegmentEntry entry = Uploaded(Image(20, 40000));
  ExpectBatches(Read(entry, 0), 0, 20, 40000);
}

// Wherever the index crosses chunks: what is put together of several must not
// need them in the cache at once.
TEST_F(ColdTierTest, CacheOfOneChunkIsEnough) {
  OpenTier({.chunk_bytes = 4096, .cache_max_bytes = 4096});
  for (size_t payload = 3000; payload < 7200; payload += 70) {
    const SegmentEntry entry = Uploaded(Image(3, payload, payload));
    std::optional<Result<Batches>> batches;
    tier->Read(entry,
               {.start = Offset(0), .end = Offset(30), .max_bytes = UINT64_MAX},
               [&](Result<Batches> read) { batches = std::move(read); });
    for (int i = 0; i < 2000 && !batches; ++i) runtime.Step();
    ASSERT_TRUE(batches.has_value()) << "no end, payload " << payload;
    ExpectBatches(*batches, 0, 3, payload);
  }
}

TEST_F(ColdTierTest, TooManyReadersAreRefusedAndTheRestAnswered) {
  OpenTier({.max_requests = 1});
  std::vector<SegmentEntry> entries;
  for (uint64_t id = 1; id <= 30; ++id) {
    entries.push_back(Uploaded(Image(1, 100, id)));
  }
  faulty->SetChances({.max_delay = 5ms});
  int good = 0;
  int refused = 0;
  for (const SegmentEntry& entry : entries) {
    tier->Read(entry, {.start = Offset(0), .end = Offset(10), .max_bytes = 1},
               [&](Result<Batches> batches) {
                 good += batches.ok();
                 refused += batches.status().code() == StatusCode::kOverloaded;
               });
  }
  runtime.RunFor(1s);
  EXPECT_EQ(good, 17);  // one under way, sixteen waiting
  EXPECT_EQ(refused, 13);
  ExpectBatches(Read(entries.back(), 0), 0, 1, 100);
}

TEST_F(ColdTierTest, D22NoFlippedByteIsServed) {
  const SampleImage image = Image(6, 300);
  const SegmentEntry entry = Uploaded(image);
  for (size_t at = 0; at < image.bytes.size(); ++at) {
    std::string bytes = image.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    ASSERT_TRUE(bucket.Put(entry.cold->key, bytes).ok());
    OpenTier({});
    int errors = 0;
    for (size_t i = 0; i < 6; ++i) {
      const auto batches = Read(entry, i * 10, 1);
      if (batches.ok()) {
        ExpectBatches(batches, i, 1, 300);
      } else {
        ++errors;
        ASSERT_EQ(batches.status().code(), StatusCode::kDataLoss);
        ASSERT_THAT(batches.status().message(), HasSubstr(entry.cold->key));
      }
    }
    // Header and padding tell nothing to readers: scrub finds them.
    const bool matters = at >= 32 && at < image.bytes.size();
    ASSERT_TRUE(errors > 0 || !matters || image.bytes[at] == 0) << at;
    const auto status = Await<Status>(runtime, [&](auto done) {
      tier->Download(
          entry, [](ByteSpan) { return Status::Ok(); }, std::move(done));
    });
    ASSERT_EQ(status.code(), StatusCode::kDataLoss);
  }
}

TEST_F(ColdTierTest, D22TruncatedObjectIsReportedWithPosition) {
  const SampleImage image = Image(6, 300);
  const SegmentEntry entry = Uploaded(image);
  for (size_t size = 0; size < image.bytes.size(); size += 7) {
    ASSERT_TRUE(bucket.Put(entry.cold->key, image.bytes.substr(0, size)).ok());
    OpenTier({});
    const Status status = Read(entry, 0).status();
    ASSERT_EQ(status.code(), StatusCode::kDataLoss);
    ASSERT_THAT(status.message(),
                HasSubstr(entry.cold->key + " at 0: expected " +
                          std::to_string(image.bytes.size()) +
                          " bytes, found " + std::to_string(size)));
  }
}

TEST_F(ColdTierTest, MissingObjectIsReported) {
  const SegmentEntry entry = Uploaded(Image(3, 100));
  ASSERT_TRUE(bucket.Delete(entry.cold->key).ok());
  const Status status = Read(entry, 0).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(entry.cold->key));
  EXPECT_THAT(status.message(), HasSubstr("no such object"));
}

TEST_F(ColdTierTest, ObjectOfAnotherSegmentIsReported) {
  const SegmentEntry entry = Uploaded(Image(3, 100, 7));
  SegmentEntry other = entry;
  other.id = 8;
  const Status status = Read(other, 0).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("another segment"));
  ExpectBatches(Read(entry, 0), 0, 3, 100);
}

TEST_F(ColdTierTest, AddressThatDoesNotFitTheEntryIsReported) {
  SegmentEntry entry = Uploaded(Image(3, 100));
  entry.cold->length -= 1;
  EXPECT_EQ(Read(entry, 0).status().code(), StatusCode::kDataLoss);
  entry.cold.reset();
  EXPECT_EQ(Read(entry, 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ColdTierTest, UnavailableIsPassedOnAndNotKept) {
  const SegmentEntry entry = Uploaded(Image(3, 100));
  faulty->SetAway(true);
  const Status status = Read(entry, 0).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr(entry.cold->key));
  faulty->SetAway(false);
  ExpectBatches(Read(entry, 0), 0, 3, 100);
}

TEST_F(ColdTierTest, DamageOnTheWayIsNotKeptInTheCache) {
  const SegmentEntry entry = Uploaded(Image(100, 3000));
  int damaged = 0;
  for (int i = 0; i < 20; ++i) {
    OpenTier({});
    faulty->FailNext(StoreOp::kGet, StoreFault::kCorrupt, 2);
    const auto batches = Read(entry, 0, 1);
    damaged += batches.status().code() == StatusCode::kDataLoss;
    if (batches.ok()) ExpectBatches(batches, 0, 1, 3000);
    faulty->FailNext(StoreOp::kGet, StoreFault::kNone, 0);
    // Both chunks may have been damaged, and one is noticed at a time.
    (void)Read(entry, 0, 1);
    runtime.RunUntilIdle();
    ExpectBatches(Read(entry, 0, 1), 0, 1, 3000);
  }
  EXPECT_GT(damaged, 0);
}

TEST_F(ColdTierTest, WrongBatchesAreNeverReadFromAFaultyStore) {
  const SegmentEntry entry = Uploaded(Image(100, 3000));
  faulty->SetChances({.unavailable = 100,
                      .short_answer = 100,
                      .corrupt = 100,
                      .max_delay = 3ms});
  OpenTier({.cache_max_bytes = 4 * kChunk});
  int good = 0;
  for (int i = 0; i < 500; ++i) {
    const size_t first = runtime.random().Below(100);
    const auto batches = Read(entry, first * 10, 3000);
    if (!batches.ok()) continue;
    ++good;
    ExpectBatches(batches, first, 1, 3000);
  }
  EXPECT_GT(good, 100);
  EXPECT_LT(good, 500);
}

TEST_F(ColdTierTest, TierMayGoWhileReadersWait) {
  const SegmentEntry entry = Uploaded(Image(3, 100));
  faulty->SetChances({.max_delay = 20ms});
  auto held = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) {
    tier->Read(entry, {.start = Offset(0), .end = Offset(30), .max_bytes = 1},
               [held](Result<Batches>) { ++*held; });
  }
  runtime.RunUntilIdle();
  tier.reset();
  runtime.RunFor(1s);
  EXPECT_EQ(*held, 0);
  EXPECT_EQ(held.use_count(), 1) << "a continuation leaked";
}

// --- upload ---

TEST_F(ColdTierTest, EachAttemptHasAKeyOfItsOwn) {
  const SampleImage image = Image(3, 100);
  const auto first = Upload(image);
  const auto second = Upload(image);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->key, second->key);
  EXPECT_THAT(first->key,
              testing::StartsWith("topics/" + image.entry.partition.ToString() +
                                  "/00000000000000000000-"
                                  "00000000000000000030-1-7-"));
  EXPECT_THAT(first->key, testing::EndsWith("-orders.seg"));
  EXPECT_EQ(first->length, image.bytes.size());
  EXPECT_EQ(*bucket.Get(first->key), image.bytes);
}

TEST_F(ColdTierTest, LabelThatFitsNoKeyIsMadeToFit) {
  const SampleImage image = Image(3, 100);
  const auto address = Await<Result<ColdAddress>>(runtime, [&](auto done) {
    tier->Upload(image.entry, 1, "a/../\\b" + std::string(300, 'x'),
                 MakeStringSource(image.bytes), {}, std::move(done));
  });
  ASSERT_TRUE(address.ok()) << address.status();
  EXPECT_THAT(address->key, HasSubstr("-a_..__bxxx"));
  EXPECT_LT(address->key.size(), 255u);
}

TEST_F(ColdTierTest, UnknownUploadThatArrivedIsOk) {
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownDone);
  ExpectBatches(Read(Uploaded(Image(3, 100)), 0), 0, 3, 100);
}

TEST_F(ColdTierTest, UnknownUploadThatDidNotArriveIsUnavailable) {
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownUndone);
  EXPECT_EQ(Upload(Image(3, 100)).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(bucket.Keys().empty());
}

TEST_F(ColdTierTest, UploadThatArrivesTooLateIsAnOrphanNotACopy) {
  faulty->FailNext(StoreOp::kPut, StoreFault::kUnknownLate);
  const SampleImage image = Image(3, 100);
  EXPECT_EQ(Upload(image).status().code(), StatusCode::kUnavailable);
  const SegmentEntry entry = Uploaded(image);
  runtime.RunFor(2s);
  EXPECT_EQ(bucket.Keys().size(), 2u);
  ExpectBatches(Read(entry, 0), 0, 3, 100);
}

TEST_F(ColdTierTest, UploadThatArrivesDamagedIsDetectedAndRemoved) {
  // The store takes other bytes than it was given.
  struct Liar final : ObjectSource {
    explicit Liar(std::string b) : bytes(std::move(b)) {}
    uint64_t size() const override { return bytes.size(); }
    Status ReadAt(uint64_t position, std::span<std::byte> out) override {
      std::memcpy(out.data(), bytes.data() + position, out.size());
      if (position == 0 && !std::exchange(lied, true)) {
        out[50] ^= std::byte{1};
      }
      return Status::Ok();
    }
    std::string bytes;
    bool lied = false;
  };
  const SampleImage image = Image(3, 100);
  const auto address = Await<Result<ColdAddress>>(runtime, [&](auto done) {
    tier->Upload(image.entry, 1, "orders", std::make_shared<Liar>(image.bytes),
                 {}, std::move(done));
  });
  EXPECT_EQ(address.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(address.status().message(), HasSubstr("checksum"));
  EXPECT_TRUE(bucket.Keys().empty());
}

TEST_F(ColdTierTest, DamagedLocalCopyIsNotUploaded) {
  SampleImage image = Image(3, 100);
  image.bytes[60] ^= 1;
  const Status status = Upload(image).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("local copy of segment 7"));
  EXPECT_TRUE(bucket.Keys().empty());
}

TEST_F(ColdTierTest, ReadBackThatIsDamagedOrShortFailsTheUpload) {
  for (const StoreFault fault : {StoreFault::kCorrupt, StoreFault::kShort}) {
    faulty->FailNext(StoreOp::kGet, fault);
    EXPECT_EQ(Upload(Image(3, 100)).status().code(), StatusCode::kUnavailable);
    EXPECT_TRUE(bucket.Keys().empty());
  }
}

TEST_F(ColdTierTest, UploadInterruptedAnywhereLeavesNothingNamed) {
  const SampleImage image = Image(20, 3000);
  for (const StoreOp op : {StoreOp::kPut, StoreOp::kHead, StoreOp::kGet}) {
    faulty->FailNext(op, StoreFault::kUnavailable);
    EXPECT_EQ(Upload(image).status().code(), StatusCode::kUnavailable);
    EXPECT_TRUE(bucket.Keys().empty());
  }
}

TEST_F(ColdTierTest, SourceOfAnotherSizeIsRefused) {
  SampleImage image = Image(3, 100);
  image.bytes.pop_back();
  EXPECT_EQ(Upload(image).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(counted->counters().puts, 0u);
}

TEST_F(ColdTierTest, CancelledUploadLeavesNothing) {
  const SampleImage image = Image(20, 3000);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Upload(image, stop.get_token()).status().code(),
            StatusCode::kCancelled);
  // And in the middle, at whatever step that is.
  for (int steps = 1; steps < 12; ++steps) {
    std::stop_source later;
    std::optional<StatusCode> code;
    tier->Upload(image.entry, 1, "orders", MakeStringSource(image.bytes),
                 later.get_token(), [&](Result<ColdAddress> address) {
                   code = address.status().code();
                 });
    for (int i = 0; i < steps; ++i) runtime.Step();
    later.request_stop();
    runtime.RunUntilIdle();
    ASSERT_TRUE(code == StatusCode::kCancelled || code == StatusCode::kOk);
    if (code == StatusCode::kCancelled) {
      EXPECT_TRUE(bucket.Keys().empty());
    }
  }
}

// --- download ---

TEST_F(ColdTierTest, DownloadHandsOutTheImageInOrder) {
  const SampleImage image = Image(20, 3000);
  const SegmentEntry entry = Uploaded(image);
  std::string bytes;
  const auto status = Await<Status>(runtime, [&](auto done) {
    tier->Download(
        entry,
        [&](ByteSpan piece) {
          bytes += AsText(piece);
          return Status::Ok();
        },
        std::move(done));
  });
  EXPECT_EQ(status, Status::Ok());
  EXPECT_TRUE(bytes == image.bytes);
  EXPECT_EQ(tier->stats().cache_bytes, 0u);
}

TEST_F(ColdTierTest, ErrorOfTheReceiverEndsTheDownload) {
  const SegmentEntry entry = Uploaded(Image(20, 3000));
  int pieces = 0;
  const auto status = Await<Status>(runtime, [&](auto done) {
    tier->Download(
        entry,
        [&](ByteSpan) {
          return ++pieces < 2 ? Status::Ok()
                              : Status(StatusCode::kNoSpace, "disk full");
        },
        std::move(done));
  });
  EXPECT_EQ(status.code(), StatusCode::kNoSpace);
  EXPECT_EQ(pieces, 2);
}

TEST_F(ColdTierTest, DownloadOfAMissingObjectIsReported) {
  const SegmentEntry entry = Uploaded(Image(3, 100));
  ASSERT_TRUE(bucket.Delete(entry.cold->key).ok());
  const auto download = [&](const SegmentEntry& e) {
    return Await<Status>(runtime, [&](auto done) {
      tier->Download(e, [](ByteSpan) { return Status::Ok(); }, std::move(done));
    });
  };
  EXPECT_EQ(download(entry).code(), StatusCode::kDataLoss);
  SegmentEntry no_address = entry;
  no_address.cold.reset();
  EXPECT_EQ(download(no_address).code(), StatusCode::kInvalidArgument);
}

TEST_F(ColdTierTest, DeleteIsOkWhenTheObjectIsGone) {
  const SegmentEntry entry = Uploaded(Image(3, 100));
  const auto remove = [&] {
    return Await<Status>(runtime, [&](auto done) {
      tier->Delete(*entry.cold, std::move(done));
    });
  };
  EXPECT_EQ(remove(), Status::Ok());
  EXPECT_TRUE(bucket.Keys().empty());
  EXPECT_EQ(remove(), Status::Ok());
  faulty->SetAway(true);
  EXPECT_EQ(remove().code(), StatusCode::kUnavailable);
}

// --- removal of a topic ---

class TopicRemovalTest : public ColdTierTest {
 protected:
  using Removed = Result<ColdTier::Removed>;

  TopicRemovalTest() {
    topic.bytes.fill(std::byte{1});
    other.bytes.fill(std::byte{2});
  }

  Removed Remove(size_t limit = 1000) {
    return Await<Removed>(runtime, [&](auto done) {
      tier->RemoveTopic(topic, limit, std::move(done));
    });
  }
  // Two partitions with a root and two segments each, and another topic.
  void Fill() {
    for (const uint32_t p : {1, 10}) {
      const PartitionId id{topic, p};
      ASSERT_TRUE(bucket.Put(RootKey(id), "root").ok());
      for (const uint64_t segment : {7, 8}) {
        SegmentEntry entry;
        entry.partition = id;
        entry.id = segment;
        ASSERT_TRUE(
            bucket.Put(SegmentKey(entry, 3, "orders", 1), "image").ok());
      }
    }
    ASSERT_TRUE(bucket.Put(RootKey({other, 1}), "root").ok());
  }
  std::vector<std::string> Left() { return bucket.Keys(TopicPrefix(topic)); }

  TopicId topic;
  TopicId other;
};

TEST_F(TopicRemovalTest, AllOfTheTopicGoesAndNothingElse) {
  Fill();
  const Removed removed = Remove();
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->objects, 6u);
  EXPECT_FALSE(removed->more);
  EXPECT_EQ(bucket.Keys(), std::vector{RootKey({other, 1})});
  EXPECT_EQ(Remove()->objects, 0u);
}

TEST_F(TopicRemovalTest, LimitIsKeptAndTheRestIsToldOf) {
  Fill();
  for (int round = 0;; ++round) {
    ASSERT_LT(round, 6);
    const Removed removed = Remove(1);
    ASSERT_TRUE(removed.ok()) << removed.status();
    EXPECT_EQ(removed->objects, 1u);
    if (!removed->more) break;
  }
  EXPECT_TRUE(Left().empty());
}

TEST_F(TopicRemovalTest, NoRootOutlivesItsSegments) {
  // Dies behind each of the deletions.
  for (int deletions = 0; deletions < 6; ++deletions) {
    Fill();
    for (int i = 0; i < deletions; ++i) {
      faulty->FailNext(StoreOp::kDelete, StoreFault::kNone);
    }
    faulty->FailNext(StoreOp::kDelete, StoreFault::kUnavailable);
    const Status status = Remove().status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable);
    EXPECT_THAT(status.message(), HasSubstr(TopicPrefix(topic)));
    for (const uint32_t p : {1, 10}) {
      const std::string partition = TopicPrefix(topic) + std::to_string(p);
      const std::vector<std::string> left = bucket.Keys(partition + "/");
      const bool rooted =
          std::ranges::find(left, partition + "/root") != left.end();
      EXPECT_TRUE(!rooted || left.size() == 3) << deletions;
    }
    EXPECT_TRUE(Remove().ok());
    EXPECT_TRUE(Left().empty());
  }
}

TEST_F(TopicRemovalTest, ListingThatFailsIsReportedAndNothingGoes) {
  Fill();
  faulty->FailNext(StoreOp::kList, StoreFault::kUnavailable);
  EXPECT_EQ(Remove().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Left().size(), 6u);
}

TEST_F(TopicRemovalTest, ObjectOfNoPartitionGoesToo) {
  ASSERT_TRUE(bucket.Put("root", "not ours").ok());
  ASSERT_TRUE(bucket.Put(TopicPrefix(topic) + "note", "by hand").ok());
  EXPECT_EQ(Remove()->objects, 1u);
  EXPECT_EQ(bucket.Keys(), std::vector<std::string>{"root"});
}

TEST(UploadTimeoutTest, GrowsWithTheBytes) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_EQ(UploadTimeout(seconds(30), 1000), seconds(30));
  EXPECT_EQ(UploadTimeout(seconds(30), 64 << 20), seconds(94));
  EXPECT_EQ(UploadTimeout(milliseconds(0), 64 << 20), milliseconds(0))
      << "no deadline";
}

}  // namespace
}  // namespace strata
