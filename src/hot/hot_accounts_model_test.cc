// The accounts against a naive model that adds everything up again.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "hot/accounts.h"
#include "hot/hot_tier.h"
#include "runtime/xoshiro.h"

namespace strata {
namespace {

constexpr uint64_t kChunk = 4096;
constexpr HotLimits kLimits = {.total_bytes = 24 * kChunk,
                               .unflushed_bytes = 12 * kChunk,
                               .pinned_bytes = 6 * kChunk,
                               .chunk_bytes = kChunk};

// Holds every kind of holder and knows, by where bytes lie, which memory each
// one holds. Copies that the tier evicted are found by asking it.
class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed) {}

  void Step() {
    switch (Below(9)) {
      case 0:
      case 1: return TakeChunk();
      case 2: return DropAny(chunks_);
      case 3: return Cache();
      case 4: return Promote();
      case 5: return Pin();
      case 6: return DropAny(views_);
      case 7: return ReadCopy();
      default: return EvictCopy();
    }
  }

  void Check() {
    std::set<const std::byte*> unflushed;
    std::set<const std::byte*> cached;
    std::set<const std::byte*> pinned;
    uint64_t index = 0;
    for (const auto& chunk : chunks_) unflushed.insert(chunk.start);
    uint64_t held = 0;
    for (CopyHolder& copy : copies_) {
      // An empty read: it changes the order of use, as any.
      if (!tier_.Read(*copy.copy, {.start = Offset(0), .end = Offset(0)})) {
        continue;
      }
      ++held;
      index += hot::IndexBytes(copy.batches);
      cached.insert(copy.memories.begin(), copy.memories.end());
    }
    for (const auto& view : views_) pinned.insert(view.memory);
    const uint64_t unflushed_bytes = Sum(unflushed, {}, {});
    const uint64_t cached_bytes = Sum(cached, unflushed, {}) + index;
    const HotStats stats = tier_.stats();
    EXPECT_EQ(stats.unflushed_bytes, unflushed_bytes);
    EXPECT_EQ(stats.cached_bytes, cached_bytes);
    EXPECT_EQ(stats.pinned_bytes, Sum(pinned, unflushed, cached));
    EXPECT_EQ(stats.copies, held);
    EXPECT_LE(unflushed_bytes, kLimits.unflushed_bytes);
    EXPECT_LE(unflushed_bytes + cached_bytes + stats.pool_bytes,
              kLimits.total_bytes);
  }

  void DropAll() {
    chunks_.clear();
    copies_.clear();
    views_.clear();
  }

 private:
  struct ChunkHolder {
    std::shared_ptr<Chunk> chunk;
    const std::byte* start = nullptr;
    std::vector<HotBatch> batches;
  };
  struct CopyHolder {
    std::shared_ptr<HotCopy> copy;
    std::vector<const std::byte*> memories;
    uint64_t batches = 0;
  };
  struct ViewHolder {
    BatchView view;
    const std::byte* memory = nullptr;
    std::string expected;
  };

  uint64_t Below(uint64_t bound) { return random_.Next() % bound; }

  uint64_t Sum(const std::set<const std::byte*>& memories,
               const std::set<const std::byte*>& but,
               const std::set<const std::byte*>& nor) const {
    uint64_t sum = 0;
    for (const std::byte* memory : memories) {
      if (but.contains(memory) || nor.contains(memory)) continue;
      sum += sizes_.at(memory);
    }
    return sum;
  }

  template <typename Holder>
  void DropAny(std::vector<Holder>& holders) {
    if (holders.empty()) return;
    holders.erase(holders.begin() +
                  static_cast<std::ptrdiff_t>(Below(holders.size())));
  }

  void TakeChunk() {
    auto chunk = tier_.Take(1 + Below(2 * kChunk), ChunkSource::Limit::kHonour);
    if (!chunk.ok()) return;
    const std::span<std::byte> bytes = (*chunk)->bytes();
    sizes_[bytes.data()] = bytes.size();
    ChunkHolder holder{*chunk, bytes.data(), {}};
    const uint64_t count = 1 + Below(4);
    for (uint64_t i = 0; i < count; ++i) {
      const auto payload = bytes.subspan(i * 1000, 1 + Below(1000));
      std::ranges::fill(payload, static_cast<std::byte>(Below(256)));
      BatchView::Facts facts;
      facts.offsets = {Offset(next_offset_), Offset(next_offset_ + 1)};
      ++next_offset_;
      holder.batches.push_back({facts, payload, Crc32c(payload)});
    }
    chunks_.push_back(std::move(holder));
  }

  void Cache() {
    std::vector<HotBatch> batches;
    std::vector<std::shared_ptr<Chunk>> chunks;
    CopyHolder holder;
    for (const ChunkHolder& chunk : chunks_) {
      if (Below(2) == 0) continue;
      chunks.push_back(chunk.chunk);
      holder.memories.push_back(chunk.start);
      batches.insert(batches.end(), chunk.batches.begin(), chunk.batches.end());
    }
    holder.batches = batches.size();
    holder.copy = tier_.CacheFlushed(batches, chunks);
    copies_.push_back(std::move(holder));
  }

  void Promote() {
    std::vector<HotBatch> batches;
    // Odd, so that only the first payload of a memory is aligned.
    const std::string text(1 + 2 * Below(3 * kChunk / 2), 'p');
    for (uint64_t i = 0; i < Below(4); ++i) {
      BatchView::Facts facts;
      facts.offsets = {Offset(i), Offset(i + 1)};
      batches.push_back({facts, AsBytes(text), Crc32c(AsBytes(text))});
    }
    const uint64_t copied = tier_.stats().copied_batches;
    auto copy = tier_.CachePromoted(batches);
    if (!copy.ok()) return;
    // Its memories are its own: learnt from where its batches lie.
    const auto views = tier_.Read(
        **copy, {.start = Offset(0), .end = Offset(100), .max_bytes = 1 << 20});
    if (!views || !views->ok() || (*views)->size() != batches.size()) return;
    // Views that are copies teach nothing: the copy is not held on to.
    if (tier_.stats().copied_batches != copied) return;
    CopyHolder holder{*copy, {}, batches.size()};
    uint64_t used = 0;
    for (const BatchView& view : **views) {
      const std::byte* at = view.bytes().data();
      if (reinterpret_cast<uintptr_t>(at) % kChunk == 0) {
        holder.memories.push_back(at);
        used = 0;
      }
      used += text.size();
      const bool last = &view == &(*views)->back();
      sizes_[holder.memories.back()] =
          last ? AlignUpToPage(used) : std::max(kChunk, AlignUpToPage(used));
    }
    copies_.push_back(std::move(holder));
  }

  static uint64_t AlignUpToPage(uint64_t bytes) {
    return (bytes + 4095) / 4096 * 4096;
  }

  // `copied`: the tier's count before the view was taken.
  void Hold(BatchView view, const std::byte* memory, uint64_t copied) {
    if (tier_.stats().copied_batches != copied) {
      memory = view.bytes().data();
      sizes_[memory] = AlignUpToPage(view.bytes().size());
    }
    std::string bytes(AsText(view.bytes()));
    views_.push_back({std::move(view), memory, std::move(bytes)});
  }

  void Pin() {
    if (chunks_.empty()) return;
    const ChunkHolder& chunk = chunks_[Below(chunks_.size())];
    const HotBatch& batch = chunk.batches[Below(chunk.batches.size())];
    const uint64_t copied = tier_.stats().copied_batches;
    auto view = tier_.View(batch, chunk.chunk);
    if (!view.ok()) return;
    EXPECT_EQ(Crc32c(view->bytes()), batch.payload_crc32c);
    Hold(*std::move(view), chunk.start, copied);
  }

  // Views must show what they showed when they were taken.
  void ReadCopy() {
    for (const ViewHolder& held : views_) {
      ASSERT_EQ(AsText(held.view.bytes()), held.expected);
    }
    if (copies_.empty()) return;
    CopyHolder& copy = copies_[Below(copies_.size())];
    const uint64_t copied = tier_.stats().copied_batches;
    auto views = tier_.Read(*copy.copy, {.start = Offset(0),
                                         .end = Offset(~0ull),
                                         .max_bytes = 0,
                                         .at_least_one = true});
    if (!views || !views->ok() || (*views)->empty()) return;
    const BatchView& view = (**views)[0];
    const std::byte* memory = nullptr;
    for (const std::byte* start : copy.memories) {
      if (start <= view.bytes().data() &&
          view.bytes().data() < start + sizes_.at(start)) {
        memory = start;
      }
    }
    Hold(view, memory, copied);
  }

  void EvictCopy() {
    if (copies_.empty()) return;
    const uint64_t at = Below(copies_.size());
    if (Below(2) == 0) tier_.Evict(*copies_[at].copy);
    copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  Xoshiro256 random_;
  HotTier tier_{kLimits};
  uint64_t next_offset_ = 0;
  std::map<const std::byte*, uint64_t> sizes_;  // as last learnt
  std::vector<ChunkHolder> chunks_;
  std::vector<CopyHolder> copies_;
  std::vector<ViewHolder> views_;
};

class HotAccountsModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(HotAccountsModelTest, SumsAreExactAfterRandomOperations) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  Model model(GetParam());
  for (int i = 0; i < 3000 && !testing::Test::HasFailure(); ++i) {
    model.Step();
    model.Check();
  }
  model.DropAll();
  model.Check();
}

INSTANTIATE_TEST_SUITE_P(Seeds, HotAccountsModelTest,
                         testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace strata
