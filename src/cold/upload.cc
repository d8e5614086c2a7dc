#include "cold/upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/crc32c.h"

// The attempt's states:
//
//   put ──Ok, kUnknown──> head ──right size──> read back ──right bytes──> Ok
//    │                     │                       │
//    └─any other           └─absent, other size    └─wrong bytes
//      nothing is there      abandon                 abandon
//
// Abandon deletes the object, as far as that works, and answers. Dying in any
// state, or an object that appears after its attempt was given up, leaves an
// object that nothing names: an orphan.
namespace strata {
namespace {

// Runs on one task at a time.
class Upload : public std::enable_shared_from_this<Upload> {
 public:
  Upload(std::shared_ptr<ObjectStore> store, UploadPlan plan,
         UniqueFunction<void(Result<ColdAddress>)> done)
      : store_(std::move(store)),
        plan_(std::move(plan)),
        done_(std::move(done)) {}

  void Start() {
    ObjectRequest sending = request();
    sending.timeout = UploadTimeout(sending.timeout, plan_.source->size());
    store_->Put(key(), plan_.source, PutPrecondition::None(),
                std::move(sending),
                [self = shared_from_this()](const Result<ObjectVersion>& put) {
                  self->OnPut(put.status());
                });
  }

 private:
  const std::string& key() const { return plan_.entry.cold->key; }
  const ObjectRequest& request() const { return plan_.read_back.request; }

  void OnPut(const Status& status) {
    if (!status.ok() && status.code() != StatusCode::kUnknown) {
      return done_(status.WithContext("upload of " + key()));
    }
    store_->Head(key(), request(),
                 [self = shared_from_this()](const Result<ObjectInfo>& info) {
                   self->OnHead(info);
                 });
  }

  void OnHead(const Result<ObjectInfo>& info) {
    const uint64_t expected = plan_.entry.image_bytes;
    if (info.status().code() == StatusCode::kNotFound) {
      return Abandon({StatusCode::kUnavailable,
                      fmt::format("upload of {}: did not arrive", key())});
    }
    if (!info.ok()) {
      return Abandon(info.status().WithContext("upload of " + key()));
    }
    if (info->size_bytes != expected) {
      return Abandon({StatusCode::kUnavailable,
                      fmt::format("upload of {}: expected {} bytes, found {}",
                                  key(), expected, info->size_bytes)});
    }
    StreamImage(
        store_, plan_.entry, plan_.read_back,
        [](ByteSpan) { return Status::Ok(); },
        [self = shared_from_this()](Status status) {
          self->OnReadBack(std::move(status));
        });
  }

  void OnReadBack(Status status) {
    if (status.ok()) return done_(*plan_.entry.cold);
    if (status.code() == StatusCode::kDataLoss) {
      Status source = CheckSource();
      status = source.ok() ? Status(StatusCode::kUnavailable, status.message())
                           : std::move(source);
    }
    Abandon(status.WithContext("upload of " + key()));
  }

  // Whether what was sent was the image: kDataLoss when it was damaged here.
  Status CheckSource() {
    const uint64_t size = plan_.entry.image_bytes;
    std::vector<std::byte> piece(std::min(plan_.read_back.piece_bytes, size));
    uint32_t crc = 0;
    for (uint64_t position = 0; position < size;) {
      const auto out = std::span(piece).first(
          std::min<uint64_t>(piece.size(), size - position));
      STRATA_RETURN_IF_ERROR(plan_.source->ReadAt(position, out));
      crc = ExtendCrc32c(crc, out);
      position += out.size();
    }
    if (crc == plan_.entry.image_crc32c) return Status::Ok();
    return {StatusCode::kDataLoss,
            fmt::format("local copy of segment {}: checksum of {} bytes: "
                        "expected {:08x}, found {:08x}",
                        plan_.entry.id, size, plan_.entry.image_crc32c, crc)};
  }

  void Abandon(Status why) {
    // Without the stop token, which may be why.
    store_->Delete(
        key(), {.timeout = request().timeout, .cancel = {}},
        [self = shared_from_this(), why](const Status&) { self->done_(why); });
  }

  const std::shared_ptr<ObjectStore> store_;
  const UploadPlan plan_;
  UniqueFunction<void(Result<ColdAddress>)> done_;
};

}  // namespace

std::chrono::milliseconds UploadTimeout(std::chrono::milliseconds request,
                                        uint64_t bytes) {
  if (request.count() == 0) return request;  // no deadline
  return request + std::chrono::seconds(bytes >> 20);
}

void UploadImage(std::shared_ptr<ObjectStore> store, UploadPlan plan,
                 UniqueFunction<void(Result<ColdAddress>)> done) {
  std::make_shared<Upload>(std::move(store), std::move(plan), std::move(done))
      ->Start();
}

}  // namespace strata
