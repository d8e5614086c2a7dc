#include "hot/hot_tier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

#include "base/crc32c.h"
#include "hot/accounts.h"

namespace strata {
namespace {

constexpr uint64_t kChunk = 4096;

HotLimits SmallLimits() {
  return {.total_bytes = 10 * kChunk,
          .unflushed_bytes = 5 * kChunk,
          .pinned_bytes = 2 * kChunk,
          .chunk_bytes = kChunk};
}

// A batch of one offset over `bytes`.
HotBatch BatchOver(uint64_t offset, ByteSpan bytes) {
  BatchView::Facts facts;
  facts.offsets = {Offset(offset), Offset(offset + 1)};
  facts.epoch = Epoch(7);
  facts.record_count = 1;
  facts.max_timestamp = 1000;
  return {facts, bytes, Crc32c(bytes)};
}

class HotTierTest : public testing::Test {
 protected:
  std::shared_ptr<Chunk> Take(uint64_t bytes = kChunk) {
    auto chunk = tier_->Take(bytes, ChunkSource::Limit::kHonour);
    EXPECT_TRUE(chunk.ok()) << chunk.status();
    return *std::move(chunk);
  }

  // Writes `text` at `position` of `chunk` as the batch of `offset`.
  static HotBatch Put(Chunk& chunk, uint64_t position, uint64_t offset,
                      std::string_view text) {
    std::memcpy(chunk.bytes().data() + position, text.data(), text.size());
    return BatchOver(offset, chunk.bytes().subspan(position, text.size()));
  }

  // A flushed copy of one batch that fills a chunk of its own.
  std::shared_ptr<HotCopy> CacheOne(uint64_t offset) {
    auto chunk = Take();
    const HotBatch batch =
        Put(*chunk, 0, offset, "batch " + std::to_string(offset));
    return tier_->CacheFlushed({batch}, {chunk});
  }

  std::optional<Result<std::vector<BatchView>>> ReadAll(HotCopy& copy) {
    return tier_->Read(copy, {.start = Offset(0),
                              .end = Offset(1000000),
                              .max_bytes = 1 << 20,
                              .at_least_one = true});
  }

  void ExpectAccounts(uint64_t unflushed, uint64_t cached, uint64_t pinned) {
    const HotStats stats = tier_->stats();
    EXPECT_EQ(stats.unflushed_bytes, unflushed);
    EXPECT_EQ(stats.cached_bytes, cached);
    EXPECT_EQ(stats.pinned_bytes, pinned);
  }

  std::unique_ptr<HotTier> tier_ = std::make_unique<HotTier>(SmallLimits());
  const uint64_t index_ = hot::IndexBytes(1);
};

TEST_F(HotTierTest, ChunkIsAlignedAndAtLeastAsLargeAsAsked) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, kChunk, kChunk + 1}) {
    const auto chunk = Take(size);
    EXPECT_GE(chunk->bytes().size(), std::max(size, kChunk));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(chunk->bytes().data()) % 4096, 0u);
    std::ranges::fill(chunk->bytes(), std::byte{1});
  }
}

TEST_F(HotTierTest, FullUnflushedAccountIsOverloaded) {
  std::vector<std::shared_ptr<Chunk>> chunks;
  for (int i = 0; i < 5; ++i) chunks.push_back(Take());
  const auto refused = tier_->Take(kChunk, ChunkSource::Limit::kHonour);
  EXPECT_EQ(refused.status().code(), StatusCode::kOverloaded);
  ExpectAccounts(5 * kChunk, 0, 0);
  const auto replayed = tier_->Take(kChunk, ChunkSource::Limit::kIgnore);
  EXPECT_TRUE(replayed.ok());
  ExpectAccounts(6 * kChunk, 0, 0);
}

TEST_F(HotTierTest, ChunkLargerThanTheLimitNeedsAnEmptyAccount) {
  auto small = Take();
  EXPECT_EQ(
      tier_->Take(6 * kChunk, ChunkSource::Limit::kHonour).status().code(),
      StatusCode::kOverloaded);
  small.reset();
  EXPECT_EQ(Take(6 * kChunk)->bytes().size(), 6 * kChunk);
}

TEST_F(HotTierTest, RoomIsToldWheneverUnflushedShrinks) {
  int told = 0;
  tier_->OnRoom([&] {
    ++told;
    (void)tier_->stats();  // no lock is held
  });
  auto chunk = Take();
  auto same = chunk;
  chunk.reset();
  EXPECT_EQ(told, 0);
  same.reset();
  EXPECT_EQ(told, 1);
  auto copy = CacheOne(1);
  EXPECT_EQ(told, 2);
}

TEST_F(HotTierTest, RoomIsNotToldAfterTheTierIsGone) {
  int told = 0;
  tier_->OnRoom([&] { ++told; });
  auto chunk = Take();
  tier_.reset();
  chunk.reset();
  EXPECT_EQ(told, 0);
}

TEST_F(HotTierTest, MemoryMovesFromUnflushedToCachedToPinnedToPool) {
  auto chunk = Take();
  const HotBatch batch = Put(*chunk, 0, 5, "hello");
  ExpectAccounts(kChunk, 0, 0);
  auto copy = tier_->CacheFlushed({batch}, {chunk});
  ExpectAccounts(kChunk, index_, 0);
  chunk.reset();
  ExpectAccounts(0, kChunk + index_, 0);
  auto views = ReadAll(*copy);
  ASSERT_TRUE(views && views->ok());
  ExpectAccounts(0, kChunk + index_, 0);
  tier_->Evict(*copy);
  ExpectAccounts(0, 0, kChunk);
  EXPECT_EQ(AsText((**views)[0].bytes()), "hello");
  EXPECT_TRUE((**views)[0].status().ok());
  views.reset();
  ExpectAccounts(0, 0, 0);
  EXPECT_EQ(tier_->stats().pool_bytes, kChunk);
}

TEST_F(HotTierTest, PooledMemoryIsReused) {
  const std::byte* first = Take()->bytes().data();
  EXPECT_EQ(tier_->stats().pool_bytes, kChunk);
  const auto again = Take();
  EXPECT_EQ(again->bytes().data(), first);
  EXPECT_EQ(tier_->stats().pool_bytes, 0u);
}

TEST_F(HotTierTest, EvictedBufferGoesStraightToTheNextChunk) {
  std::vector<std::shared_ptr<HotCopy>> copies;
  for (uint64_t i = 0; i < 9; ++i) copies.push_back(CacheOne(i));
  const auto chunk = Take();  // 9 chunks, their index, and this: one must go
  EXPECT_EQ(tier_->stats().evictions, 1u);
  EXPECT_EQ(tier_->stats().pool_bytes, 0u);
}

TEST_F(HotTierTest, D01AppendsDropCachedCopiesAndNeverUnflushedData) {
  std::vector<std::shared_ptr<HotCopy>> copies;
  for (uint64_t i = 0; i < 9; ++i) copies.push_back(CacheOne(i));
  std::vector<std::shared_ptr<Chunk>> chunks;
  std::vector<HotBatch> batches;
  for (uint64_t i = 0; i < 5; ++i) {
    chunks.push_back(Take());
    batches.push_back(Put(*chunks.back(), 0, i, "unflushed"));
  }
  EXPECT_FALSE(tier_->Take(kChunk, ChunkSource::Limit::kHonour).ok());
  for (uint64_t i = 0; i < 5; ++i) {
    const auto view = tier_->View(batches[i], chunks[i]);
    ASSERT_TRUE(view.ok());
    EXPECT_EQ(AsText(view->bytes()), "unflushed");
  }
  EXPECT_EQ(tier_->stats().unflushed_bytes, 5 * kChunk);
  EXPECT_EQ(tier_->stats().evictions, 5u);
}

TEST_F(HotTierTest, LeastRecentlyUsedCopyGoesFirst) {
  std::vector<std::shared_ptr<HotCopy>> copies;
  for (uint64_t i = 0; i < 9; ++i) copies.push_back(CacheOne(i));
  EXPECT_TRUE(ReadAll(*copies[0]));  // 1 is now the oldest
  const auto chunk = Take();
  EXPECT_TRUE(ReadAll(*copies[0]));
  EXPECT_FALSE(ReadAll(*copies[1]));
  EXPECT_TRUE(ReadAll(*copies[2]));
}

TEST_F(HotTierTest, D16PromotionNeverEvictsUnflushedData) {
  std::vector<std::shared_ptr<Chunk>> chunks;
  for (int i = 0; i < 5; ++i) chunks.push_back(Take());
  const std::string big(6 * kChunk, 'x');
  const auto refused = tier_->CachePromoted({BatchOver(1, AsBytes(big))});
  EXPECT_EQ(refused.status().code(), StatusCode::kOverloaded);
  ExpectAccounts(5 * kChunk, 0, 0);
  const std::string fits(4 * kChunk, 'y');
  EXPECT_TRUE(tier_->CachePromoted({BatchOver(1, AsBytes(fits))}).ok());
}

TEST_F(HotTierTest, D27PromotionTooLargeIsRefusedAndEvictsNothing) {
  const auto held = CacheOne(1);
  const std::string big(11 * kChunk, 'x');
  const auto refused = tier_->CachePromoted({BatchOver(2, AsBytes(big))});
  EXPECT_EQ(refused.status().code(), StatusCode::kOverloaded);
  EXPECT_TRUE(ReadAll(*held));
  EXPECT_EQ(tier_->stats().evictions, 0u);
  EXPECT_EQ(tier_->stats().copies, 1u);
}

TEST_F(HotTierTest, PromotedCopyHasItsOwnMemoryAndEvictsOlderCopies) {
  std::vector<std::shared_ptr<HotCopy>> older;
  for (uint64_t i = 0; i < 9; ++i) older.push_back(CacheOne(i));
  std::string large(kChunk + 100, 'L');
  std::string small(100, 's');
  std::vector<HotBatch> batches = {BatchOver(10, AsBytes(small)),
                                   BatchOver(11, AsBytes(large)),
                                   BatchOver(12, AsBytes(small))};
  auto copy = tier_->CachePromoted(batches);
  ASSERT_TRUE(copy.ok()) << copy.status();
  std::ranges::fill(large, '-');
  std::ranges::fill(small, '-');
  // One page for the first batch, two for the second with the third.
  EXPECT_EQ(tier_->stats().evictions, 3u);
  ExpectAccounts(0, 9 * kChunk + 9 * index_, 0);
  auto views = ReadAll(**copy);
  ASSERT_TRUE(views && views->ok());
  ASSERT_EQ((*views)->size(), 3u);
  EXPECT_EQ(AsText((**views)[0].bytes()), std::string(100, 's'));
  EXPECT_EQ(AsText((**views)[1].bytes()), std::string(kChunk + 100, 'L'));
  EXPECT_EQ(AsText((**views)[2].bytes()), std::string(100, 's'));
  EXPECT_EQ((**views)[1].base_offset(), Offset(11));
  EXPECT_EQ((**views)[1].epoch(), Epoch(7));
  EXPECT_EQ((**views)[1].tier(), StorageTier::kHot);
}

TEST_F(HotTierTest, PromotedBytesWithAWrongChecksumAreRefused) {
  HotBatch batch = BatchOver(1, AsBytes("abc"));
  ++batch.payload_crc32c;
  const auto copy = tier_->CachePromoted({batch});
  EXPECT_EQ(copy.status().code(), StatusCode::kDataLoss);
  ExpectAccounts(0, 0, 0);
  EXPECT_EQ(tier_->stats().copies, 0u);
}

TEST_F(HotTierTest, EmptyPromotionIsAnEmptyCopy) {
  const auto copy = tier_->CachePromoted({});
  ASSERT_TRUE(copy.ok());
  const auto views = ReadAll(**copy);
  ASSERT_TRUE(views && views->ok());
  EXPECT_TRUE((*views)->empty());
}

TEST_F(HotTierTest, D14CachingTwiceCountsEachChunkOnce) {
  auto chunk = Take();
  const HotBatch batch = Put(*chunk, 0, 1, "a");
  auto one = tier_->CacheFlushed({batch}, {chunk});
  auto two = tier_->CacheFlushed({batch}, {chunk});
  chunk.reset();
  ExpectAccounts(0, kChunk + 2 * index_, 0);
  one.reset();
  ExpectAccounts(0, kChunk + index_, 0);
  two.reset();
  ExpectAccounts(0, 0, 0);
}

TEST_F(HotTierTest, D32SmallBatchCountsTheWholeChunkThatItHolds) {
  auto chunk = Take();
  const HotBatch tiny = Put(*chunk, 100, 1, "x");
  auto copy = tier_->CacheFlushed({tiny}, {chunk});
  chunk.reset();
  EXPECT_EQ(tier_->stats().cached_bytes, kChunk + index_);
  auto views = ReadAll(*copy);
  copy.reset();
  EXPECT_EQ(tier_->stats().pinned_bytes, kChunk);
}

TEST_F(HotTierTest, ViewOfUnflushedBatchOutlivesItsChunk) {
  auto chunk = Take();
  const HotBatch batch = Put(*chunk, 64, 3, "kept");
  auto view = tier_->View(batch, chunk);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->bytes().data(), batch.payload.data());
  chunk.reset();
  ExpectAccounts(0, 0, kChunk);
  auto other = Take();  // must not get the pinned buffer
  std::ranges::fill(other->bytes(), std::byte{0});
  EXPECT_EQ(AsText(view->bytes()), "kept");
}

TEST_F(HotTierTest, FullPinnedAccountMakesCopiesAndThenRefuses) {
  std::vector<BatchView> views;
  for (int i = 0; i < 2; ++i) {
    const auto chunk = Take();
    views.push_back(*tier_->View(Put(*chunk, 0, 1, "pin"), chunk));
  }
  ExpectAccounts(0, 0, 2 * kChunk);
  auto chunk = Take();
  const HotBatch batch = Put(*chunk, 0, 1, "copied");
  for (int i = 0; i < 2; ++i) {
    const auto view = tier_->View(batch, chunk);
    ASSERT_TRUE(view.ok());
    EXPECT_NE(view->bytes().data(), batch.payload.data());
    EXPECT_EQ(AsText(view->bytes()), "copied");
    views.push_back(*view);
  }
  ExpectAccounts(kChunk, 0, 4 * kChunk);
  EXPECT_EQ(tier_->stats().copied_batches, 2u);
  EXPECT_EQ(tier_->View(batch, chunk).status().code(), StatusCode::kOverloaded);
  views.clear();
  ExpectAccounts(kChunk, 0, 0);
  EXPECT_EQ(tier_->View(batch, chunk)->bytes().data(), batch.payload.data());
}

TEST_F(HotTierTest, ReadFromACopyGivesCopiesWhenPinnedIsFull) {
  auto chunk = Take();
  const std::vector<HotBatch> batches = {
      Put(*chunk, 0, 1, "a"), Put(*chunk, 8, 2, "b"), Put(*chunk, 16, 3, "c")};
  const auto copy = tier_->CacheFlushed(batches, {chunk});
  std::vector<BatchView> pins;
  for (int i = 0; i < 2; ++i) {
    const auto other = Take();
    pins.push_back(*tier_->View(Put(*other, 0, 1, "pin"), other));
  }
  auto views = ReadAll(*copy);
  ASSERT_TRUE(views && views->ok());
  ASSERT_EQ((*views)->size(), 2u);  // a page each, up to twice the limit
  EXPECT_EQ(AsText((**views)[1].bytes()), "b");
  const auto refused = ReadAll(*copy);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status().code(), StatusCode::kOverloaded);
}

TEST_F(HotTierTest, ReadKeepsToItsRangeAndBytes) {
  auto chunk = Take();
  std::vector<HotBatch> batches;
  for (uint64_t i = 0; i < 10; ++i) {
    batches.push_back(Put(*chunk, 10 * i, 10 + i, "0123456789"));
  }
  const auto copy = tier_->CacheFlushed(batches, {chunk});
  const auto read = [&](uint64_t start, uint64_t end, uint64_t max, bool one) {
    auto views = tier_->Read(*copy, {.start = Offset(start),
                                     .end = Offset(end),
                                     .max_bytes = max,
                                     .at_least_one = one});
    std::string offsets;
    for (const BatchView& view : views->value()) {
      offsets += std::to_string(view.base_offset().value()) + " ";
    }
    return offsets;
  };
  EXPECT_EQ(read(0, 13, 1000, true), "10 11 12 ");
  EXPECT_EQ(read(12, 100, 25, true), "12 13 ");
  EXPECT_EQ(read(12, 100, 5, true), "12 ");
  EXPECT_EQ(read(12, 100, 5, false), "");
  EXPECT_EQ(read(19, 100, 1000, true), "19 ");
  EXPECT_EQ(read(20, 100, 1000, true), "");
  EXPECT_EQ(read(12, 12, 1000, true), "");
}

TEST_F(HotTierTest, CopyOverSeveralChunksPinsOnlyThoseItServes) {
  auto one = Take();
  auto two = Take();
  const std::vector<HotBatch> batches = {Put(*two, 0, 1, "in two"),
                                         Put(*one, 0, 2, "in one")};
  auto copy = tier_->CacheFlushed(batches, {one, two});
  one.reset();
  two.reset();
  auto views = tier_->Read(*copy, {.start = Offset(2),
                                   .end = Offset(3),
                                   .max_bytes = 100,
                                   .at_least_one = true});
  ASSERT_TRUE(views && views->ok());
  EXPECT_EQ(AsText((**views)[0].bytes()), "in one");
  tier_->Evict(*copy);
  ExpectAccounts(0, 0, kChunk);
}

TEST_F(HotTierTest, EvictedCopyIsReadFromAnotherTier) {
  const auto copy = CacheOne(1);
  EXPECT_TRUE(tier_->Holds(*copy));
  tier_->Evict(*copy);
  tier_->Evict(*copy);
  EXPECT_FALSE(tier_->Holds(*copy));
  EXPECT_FALSE(ReadAll(*copy));
  EXPECT_EQ(tier_->stats().copies, 0u);
  EXPECT_EQ(tier_->stats().evictions, 0u);  // not for want of room
}

TEST_F(HotTierTest, ViewsChunksAndCopiesOutliveTheTier) {
  auto chunk = Take();
  const HotBatch batch = Put(*chunk, 0, 1, "still here");
  auto copy = tier_->CacheFlushed({batch}, {chunk});
  auto views = ReadAll(*copy);
  tier_.reset();
  chunk.reset();
  copy.reset();
  EXPECT_EQ(AsText((**views)[0].bytes()), "still here");
}

TEST_F(HotTierTest, D37WorkDoesNotGrowWithWhatIsHeld) {
  HotLimits limits = SmallLimits();
  limits.total_bytes = 4000 * (kChunk + index_);
  limits.unflushed_bytes = 2 * kChunk;
  tier_ = std::make_unique<HotTier>(limits);
  std::vector<std::shared_ptr<HotCopy>> copies;
  for (uint64_t i = 0; i < 4000; ++i) copies.push_back(CacheOne(i));
  const HotStats before = tier_->stats();
  ASSERT_EQ(before.evictions, 0u);
  EXPECT_TRUE(ReadAll(*copies[0]));
  EXPECT_TRUE(ReadAll(*copies[2000]));
  const auto chunk = Take();
  const HotStats after = tier_->stats();
  EXPECT_EQ(after.evictions, 1u);
  EXPECT_EQ(after.list_steps - before.list_steps, 3u);
}

// Appenders, promoters and readers at once: at no moment more than the limit.
TEST_F(HotTierTest, D20LimitHoldsUnderConcurrency) {
  std::atomic<uint64_t> done{0};
  const auto append = [&] {
    for (uint64_t i = 0; i < 2000; ++i) {
      auto chunk = tier_->Take(kChunk, ChunkSource::Limit::kHonour);
      if (!chunk.ok()) continue;
      const HotBatch batch = Put(**chunk, 0, i, "appended");
      const auto view = tier_->View(batch, *chunk);
      const auto copy = tier_->CacheFlushed({batch}, {*chunk});
      chunk->reset();
      const auto views = ReadAll(*copy);
      if (views && views->ok() && !(*views)->empty()) {
        EXPECT_EQ(AsText((**views)[0].bytes()), "appended");
      }
      if (view.ok()) {
        EXPECT_EQ(AsText(view->bytes()), "appended");
      }
    }
    ++done;
  };
  const auto promote = [&] {
    const std::string text(3 * kChunk, 'p');
    for (uint64_t i = 0; i < 500; ++i) {
      const auto copy =
          tier_->CachePromoted({BatchOver(1, AsBytes(text).first(kChunk)),
                                BatchOver(2, AsBytes(text).first(2 * kChunk))});
      if (!copy.ok()) continue;
      const auto views = ReadAll(**copy);
      if (views && views->ok() && (*views)->size() == 2) {
        EXPECT_EQ(AsText((**views)[1].bytes()), text.substr(kChunk));
      }
    }
    ++done;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) threads.emplace_back(append);
  for (int i = 0; i < 2; ++i) threads.emplace_back(promote);
  while (done < threads.size()) {
    const HotStats stats = tier_->stats();
    EXPECT_LE(stats.unflushed_bytes + stats.cached_bytes + stats.pool_bytes,
              SmallLimits().total_bytes);
    EXPECT_LE(stats.unflushed_bytes, SmallLimits().unflushed_bytes);
  }
  for (std::thread& thread : threads) thread.join();
  ExpectAccounts(0, 0, 0);
}

}  // namespace
}  // namespace strata
