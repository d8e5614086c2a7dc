#include "cold/image_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "cold/chunk_store.h"

namespace strata {
namespace {

// One request at a time. Runs on one task at a time.
class ImageStream : public std::enable_shared_from_this<ImageStream> {
 public:
  ImageStream(std::shared_ptr<ObjectStore> store, const SegmentEntry& entry,
              const ImageStreamOptions& options,
              UniqueFunction<Status(ByteSpan)> piece,
              UniqueFunction<void(Status)> done)
      : store_(std::move(store)),
        entry_(entry),
        options_(options),
        piece_(std::move(piece)),
        done_(std::move(done)),
        buffer_(std::make_shared<ColdBuffer>(
            std::min(options.piece_bytes, entry.image_bytes))) {}

  void Next() {
    const size_t n =
        std::min(options_.piece_bytes, entry_.image_bytes - passed_);
    if (n == 0) return Finish();
    ObjectRequest request = options_.request;
    request.memory = buffer_;
    store_->Get(image().key, image().position + passed_,
                buffer_->bytes().first(n), std::move(request),
                [self = shared_from_this(), n](const Result<size_t>& got) {
                  self->OnGot(n, got);
                });
  }

 private:
  const ColdAddress& image() const { return *entry_.cold; }

  void OnGot(size_t expected, const Result<size_t>& got) {
    Status status =
        CheckGot(image().key, image().position + passed_, expected, got);
    const ByteSpan bytes = buffer_->bytes().first(expected);
    if (status.ok()) status = piece_(bytes);
    if (!status.ok()) return done_(std::move(status));
    crc_ = ExtendCrc32c(crc_, bytes);
    passed_ += expected;
    Next();
  }

  void Finish() {
    if (crc_ == entry_.image_crc32c) return done_(Status::Ok());
    done_(Status(StatusCode::kDataLoss,
                 fmt::format("object {}: checksum of {} bytes at {}: expected "
                             "{:08x}, found {:08x}",
                             image().key, entry_.image_bytes, image().position,
                             entry_.image_crc32c, crc_)));
  }

  const std::shared_ptr<ObjectStore> store_;
  const SegmentEntry entry_;
  const ImageStreamOptions options_;
  UniqueFunction<Status(ByteSpan)> piece_;
  UniqueFunction<void(Status)> done_;
  const std::shared_ptr<ColdBuffer> buffer_;  // shared with the requests
  uint64_t passed_ = 0;
  uint32_t crc_ = 0;  // of nothing
};

}  // namespace

void StreamImage(std::shared_ptr<ObjectStore> store, const SegmentEntry& entry,
                 const ImageStreamOptions& options,
                 UniqueFunction<Status(ByteSpan)> piece,
                 UniqueFunction<void(Status)> done) {
  std::make_shared<ImageStream>(std::move(store), entry, options,
                                std::move(piece), std::move(done))
      ->Next();
}

}  // namespace strata
