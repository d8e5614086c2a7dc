#include "cold/read_operation.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "cold/image_bytes.h"
#include "segment/batch_collector.h"

namespace strata {
namespace {

// Goes from block to block; where a chunk is missing it continues when that
// one has come. Runs on one task at a time.
class ReadOperation : public std::enable_shared_from_this<ReadOperation> {
 public:
  ReadOperation(std::shared_ptr<ChunkStore> chunks, const SegmentEntry& entry,
                const ReadWindow& window, ColdReadDone done)
      : chunks_(std::move(chunks)),
        bytes_(chunks_, *entry.cold),
        collector_(entry, window, StorageTier::kCold),
        done_(std::move(done)) {}

  void Start(Result<IndexCache::ValuePtr> index) {
    if (!index.ok()) return done_(std::move(index).status());
    index_ = *std::move(index);
    const SegmentIndex& blocks = index_->index;
    next_block_ = blocks.BlockFor(collector_.start());
    scanning_ = index_->scanned_to.load(std::memory_order_relaxed) ==
                collector_.start().value();
    Run();
  }

 private:
  void Run() {
    const SegmentIndex& blocks = index_->index;
    for (; !collector_.full() && next_block_ < blocks.block_count();
         ++next_block_) {
      const SegmentIndex::Block block = blocks.block(next_block_);
      if (block.end - block.begin > ImageBytes::kMaxGatherBytes) {
        return Failed(TooLarge(block));
      }
      const auto piece = bytes_.Gather(block.begin, block.end);
      if (!piece) return Fetch();
      const Result<bool> added = collector_.AddBlock(
          piece->bytes, block, BatchCollector::Payloads::kVerify, piece->owner);
      if (!added.ok()) return Damaged(added.status());
    }
    Prefetch(scanning_ ? bytes_.NextChunk(blocks.frames_end()) : std::nullopt);
    Answer();
  }

  void Fetch() {
    const bool goes_on = scanning_ || bytes_.chunks_used() > 1;
    const auto ahead =
        goes_on ? bytes_.NextChunk(index_->index.frames_end()) : std::nullopt;
    // Once the chunk is asked for, another thread may go on with all of this.
    const auto self = shared_from_this();
    const ChunkKey missing = bytes_.missing();
    chunks_->Load(missing, [self](Result<ChunkStore::ChunkPtr> chunk) {
      if (!chunk.ok()) return self->Failed(chunk.status());
      self->bytes_.Provide(*std::move(chunk));
      self->Run();
    });
    Prefetch(ahead);
  }

  void Prefetch(const std::optional<ChunkKey>& chunk) const {
    if (chunk) chunks_->Prefetch(*chunk);
  }

  Status TooLarge(const SegmentIndex::Block& block) const {
    return {StatusCode::kDataLoss,
            fmt::format("object {}: expected a block of at most {} bytes at "
                        "{} of the image, found {}",
                        bytes_.image().key, ImageBytes::kMaxGatherBytes,
                        block.begin, block.end - block.begin)};
  }

  void Damaged(const Status& status) {
    bytes_.ForgetGathered();
    done_(status.WithContext("object " + bytes_.image().key));
  }

  // An error behind batches is the business of the read that begins there.
  void Failed(const Status& status) {
    if (collector_.empty()) return done_(status);
    Answer();
  }

  void Answer() {
    std::vector<BatchView> batches = collector_.Take();
    if (!batches.empty()) {
      index_->scanned_to.store(batches.back().end_offset().value(),
                               std::memory_order_relaxed);
    }
    done_(std::move(batches));
  }

  const std::shared_ptr<ChunkStore> chunks_;
  ImageBytes bytes_;
  BatchCollector collector_;
  ColdReadDone done_;
  IndexCache::ValuePtr index_;
  size_t next_block_ = 0;
  // The read goes on where one before it ended: the next chunk is fetched too.
  bool scanning_ = false;
};

}  // namespace

void ReadColdSegment(std::shared_ptr<ChunkStore> chunks, IndexCache& indexes,
                     SegmentEntry entry, const ReadWindow& window,
                     ColdReadDone done) {
  auto operation =
      std::make_shared<ReadOperation>(chunks, entry, window, std::move(done));
  LoadIndex(
      indexes, std::move(chunks), entry,
      [operation = std::move(operation)](Result<IndexCache::ValuePtr> index) {
        operation->Start(std::move(index));
      });
}

}  // namespace strata
