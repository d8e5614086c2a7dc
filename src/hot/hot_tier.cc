#include "hot/hot_tier.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "hot/accounts.h"

namespace strata {
namespace {

using hot::CopyContent;
using hot::Memory;
using hot::Pin;

class UnflushedChunk final : public Chunk {
 public:
  explicit UnflushedChunk(std::shared_ptr<Memory> memory)
      : memory_(std::move(memory)) {}
  ~UnflushedChunk() override { memory_->accounts->ReleaseUnflushed(*memory_); }

  std::span<std::byte> bytes() override {
    return {memory_->buffer.get(), memory_->size_bytes};
  }
  const std::shared_ptr<Memory>& memory() const { return memory_; }

 private:
  const std::shared_ptr<Memory> memory_;
};

// Every Chunk that reaches this tier was made by it.
const std::shared_ptr<Memory>& MemoryOf(const std::shared_ptr<Chunk>& chunk) {
  return static_cast<const UnflushedChunk&>(*chunk).memory();
}

BatchView ViewOf(const HotBatch& batch, ByteSpan bytes, Pin pin) {
  BatchView::Facts facts = batch.facts;
  facts.tier = StorageTier::kHot;
  return BatchView(facts, bytes, std::move(pin));
}

uint64_t WholePages(uint64_t bytes) {
  return AlignUp(std::max<uint64_t>(bytes, 1), hot::kAlignment);
}

// A view of a copy, for when the pinned account is full.
Result<BatchView> CopyOf(const HotBatch& batch, hot::Accounts& accounts) {
  STRATA_ASSIGN_OR_RETURN(
      auto taken, accounts.TakePinned(WholePages(batch.payload.size())));
  std::byte* const to = taken.first->buffer.get();
  std::copy(batch.payload.begin(), batch.payload.end(), to);
  return ViewOf(batch, {to, batch.payload.size()}, std::move(taken.second));
}

// Finds which of the chunks holds an address.
class ChunkFinder {
 public:
  explicit ChunkFinder(const std::vector<std::shared_ptr<Memory>>& memories) {
    for (uint32_t i = 0; i < memories.size(); ++i) {
      const std::byte* begin = memories[i]->buffer.get();
      chunks_.push_back({begin, begin + memories[i]->size_bytes, i});
    }
    std::ranges::sort(chunks_, {}, &Place::begin);
  }

  uint32_t IndexOf(ByteSpan bytes) const {
    const auto next =
        std::ranges::upper_bound(chunks_, bytes.data(), {}, &Place::begin);
    STRATA_CHECK(next != chunks_.begin());
    const Place& place = *std::prev(next);
    STRATA_CHECK(bytes.data() + bytes.size() <= place.end);
    return place.index;
  }

 private:
  struct Place {
    const std::byte* begin = nullptr;
    const std::byte* end = nullptr;
    uint32_t index = 0;
  };
  std::vector<Place> chunks_;
};

// Where each payload goes in memory of the copy's own.
struct Packing {
  struct Place {
    uint32_t memory = 0;
    uint64_t position = 0;
  };
  std::vector<uint64_t> sizes;  // of the memories
  std::vector<Place> places;    // of the payloads
};

// Memories are as large as a chunk, so that a view pins no more than that; the
// last one is as large as it must be, and so is one with a larger payload.
Packing Pack(const std::vector<HotBatch>& batches, uint64_t chunk_bytes) {
  Packing packing;
  uint64_t used = 0;
  for (const HotBatch& batch : batches) {
    const uint64_t size = batch.payload.size();
    if (packing.sizes.empty() || used + size > packing.sizes.back()) {
      if (!packing.sizes.empty() && used < packing.sizes.back()) {
        packing.sizes.back() = WholePages(used);
      }
      packing.sizes.push_back(std::max(chunk_bytes, WholePages(size)));
      used = 0;
    }
    packing.places.push_back(
        {static_cast<uint32_t>(packing.sizes.size() - 1), used});
    used += size;
  }
  if (!packing.sizes.empty()) packing.sizes.back() = WholePages(used);
  return packing;
}

// `empty` with the payloads in its memories. kDataLoss for a wrong checksum.
Result<std::shared_ptr<const CopyContent>> Fill(
    const std::vector<HotBatch>& batches, const Packing& packing,
    const CopyContent& empty) {
  auto content = std::make_shared<CopyContent>(empty);
  content->entries.reserve(batches.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    const auto [index, position] = packing.places[i];
    std::byte* const to = empty.memories[index]->buffer.get() + position;
    HotBatch batch = batches[i];
    std::copy(batch.payload.begin(), batch.payload.end(), to);
    batch.payload = {to, batch.payload.size()};
    const uint32_t found = Crc32c(batch.payload);
    if (found != batch.payload_crc32c) {
      return Status(StatusCode::kDataLoss,
                    fmt::format("payload checksum of offsets [{}, {}): "
                                "expected {:08x}, found {:08x}",
                                batch.facts.offsets.base.value(),
                                batch.facts.offsets.end.value(),
                                batch.payload_crc32c, found));
    }
    content->entries.push_back({batch, index});
  }
  return std::shared_ptr<const CopyContent>(std::move(content));
}

// The entries [first, last) that a read returns.
struct Selection {
  size_t first = 0;
  size_t last = 0;
  std::vector<uint32_t> memories;  // of runs of entries in one memory
};

Selection Select(const CopyContent& content, const HotTier::ReadRange& range) {
  const auto& entries = content.entries;
  const auto end_of = [](const CopyContent::Entry& entry) {
    return entry.batch.facts.offsets.end;
  };
  Selection selection;
  selection.first = static_cast<size_t>(
      std::ranges::upper_bound(entries, range.start, {}, end_of) -
      entries.begin());
  uint64_t bytes = 0;
  size_t at = selection.first;
  for (; at < entries.size() && end_of(entries[at]) <= range.end; ++at) {
    bytes += entries[at].batch.payload.size();
    const bool free = range.at_least_one && at == selection.first;
    if (bytes > range.max_bytes && !free) break;
    if (selection.memories.empty() ||
        selection.memories.back() != entries[at].memory) {
      selection.memories.push_back(entries[at].memory);
    }
  }
  selection.last = at;
  return selection;
}

}  // namespace

HotTier::HotTier(HotLimits limits)
    : limits_(limits), accounts_(std::make_shared<hot::Accounts>(limits)) {
  STRATA_CHECK(limits.chunk_bytes > 0 &&
               limits.chunk_bytes % hot::kAlignment == 0);
}

HotTier::~HotTier() { accounts_->SetRoomCallback(nullptr); }

Result<std::shared_ptr<Chunk>> HotTier::Take(size_t size_bytes, Limit limit) {
  STRATA_ASSIGN_OR_RETURN(
      std::shared_ptr<Memory> memory,
      accounts_->TakeUnflushed(
          std::max(limits_.chunk_bytes, WholePages(size_bytes)), limit));
  return std::shared_ptr<Chunk>(
      std::make_shared<UnflushedChunk>(std::move(memory)));
}

void HotTier::OnRoom(UniqueFunction<void()> callback) {
  accounts_->SetRoomCallback(std::move(callback));
}

Result<BatchView> HotTier::View(const HotBatch& batch,
                                const std::shared_ptr<Chunk>& chunk) {
  if (accounts_->pinned_full()) return CopyOf(batch, *accounts_);
  return ViewOf(batch, batch.payload, accounts_->TakePin(MemoryOf(chunk)));
}

std::shared_ptr<HotCopy> HotTier::CacheFlushed(
    std::vector<HotBatch> batches,
    const std::vector<std::shared_ptr<Chunk>>& chunks) {
  auto content = std::make_shared<CopyContent>();
  for (const std::shared_ptr<Chunk>& chunk : chunks) {
    content->memories.push_back(MemoryOf(chunk));
  }
  const ChunkFinder finder(content->memories);
  content->entries.reserve(batches.size());
  for (const HotBatch& batch : batches) {
    content->entries.push_back({batch, finder.IndexOf(batch.payload)});
  }
  content->index_bytes = hot::IndexBytes(batches.size());
  auto copy = std::make_shared<HotCopy>(accounts_);
  accounts_->Insert(*copy, std::move(content));
  return copy;
}

Result<std::shared_ptr<HotCopy>> HotTier::CachePromoted(
    std::vector<HotBatch> batches) {
  const Packing packing = Pack(batches, limits_.chunk_bytes);
  auto empty = std::make_shared<CopyContent>();
  for (const uint64_t size : packing.sizes) {
    empty->memories.push_back(std::make_shared<Memory>(accounts_, size));
  }
  empty->index_bytes = hot::IndexBytes(batches.size());
  auto copy = std::make_shared<HotCopy>(accounts_);
  STRATA_RETURN_IF_ERROR(accounts_->InsertNew(*copy, empty));

  Result<std::shared_ptr<const CopyContent>> filled =
      Fill(batches, packing, *empty);
  Status status = filled.status();
  if (status.ok() && !accounts_->SetContent(*copy, *std::move(filled))) {
    status = Status(StatusCode::kOverloaded,
                    "appends needed the room of a hot copy while it was made");
  }
  // Before the pins go, so that a failed copy leaves nothing behind.
  if (!status.ok()) accounts_->Evict(*copy);
  accounts_->EndFill(*empty);
  if (!status.ok()) return status;
  return copy;
}

std::optional<Result<std::vector<BatchView>>> HotTier::Read(HotCopy& copy,
                                                            ReadRange range) {
  const std::shared_ptr<const CopyContent> content = accounts_->Use(copy);
  if (content == nullptr) return std::nullopt;
  const Selection selection = Select(*content, range);
  std::optional<std::vector<Pin>> pins =
      accounts_->TakePins(copy, selection.memories);
  if (!pins) return std::nullopt;

  std::vector<BatchView> views;
  views.reserve(selection.last - selection.first);
  const bool copies = accounts_->pinned_full();
  size_t run = 0;
  for (size_t i = selection.first; i < selection.last; ++i) {
    const CopyContent::Entry& entry = content->entries[i];
    if (entry.memory != selection.memories[run]) ++run;
    if (!copies) {
      views.push_back(ViewOf(entry.batch, entry.batch.payload, (*pins)[run]));
      continue;
    }
    Result<BatchView> copied = CopyOf(entry.batch, *accounts_);
    if (copied.ok()) {
      views.push_back(*std::move(copied));
    } else if (views.empty()) {
      return Result<std::vector<BatchView>>(copied.status());
    } else {
      break;
    }
  }
  return views;
}

void HotTier::Evict(HotCopy& copy) { accounts_->Evict(copy); }

bool HotTier::Holds(const HotCopy& copy) const {
  return accounts_->Holds(copy);
}

HotStats HotTier::stats() const { return accounts_->stats(); }

}  // namespace strata
