#include "cold/versioned_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cold/chunk_store.h"

namespace strata {
namespace {

// Of the same version, and of all.
constexpr int kMaxDamaged = 3;
constexpr int kMaxTries = 32;

// Runs on one task at a time.
class VersionedFetch : public std::enable_shared_from_this<VersionedFetch> {
 public:
  VersionedFetch(std::shared_ptr<ObjectStore> store, std::string key,
                 uint64_t max_bytes, ObjectRequest request, TakeVersioned take,
                 UniqueFunction<void(Status)> done)
      : store_(std::move(store)),
        key_(std::move(key)),
        max_bytes_(max_bytes),
        request_(std::move(request)),
        take_(std::move(take)),
        done_(std::move(done)) {}

  void Head() {
    ++tries_;
    store_->Head(key_, request_,
                 [self = shared_from_this()](const Result<ObjectInfo>& info) {
                   self->OnHead(info);
                 });
  }

 private:
  void OnHead(const Result<ObjectInfo>& info) {
    if (!info.ok()) return done_(info.status().WithContext("object " + key_));
    if (info->size_bytes > max_bytes_) {
      return done_(
          {StatusCode::kDataLoss,
           fmt::format("object {}: expected at most {} bytes, found {}", key_,
                       max_bytes_, info->size_bytes)});
    }
    if (info->version != version_) damaged_ = 0;
    version_ = info->version;
    // At least one: an empty range says nothing about the key.
    bytes_ =
        std::make_shared<ColdBuffer>(std::max<uint64_t>(info->size_bytes, 1));
    ObjectRequest request = request_;
    request.memory = bytes_;
    store_->Get(key_, 0, bytes_->bytes(), std::move(request),
                [self = shared_from_this()](const Result<size_t>& got) {
                  self->OnGot(got);
                });
  }

  void OnGot(const Result<size_t>& got) {
    const ByteSpan bytes = std::as_const(*bytes_).bytes();
    Status status = CheckGot(key_, 0, bytes.size(), got);
    if (status.ok()) {
      status = take_(bytes, version_).WithContext("object " + key_);
    }
    const bool again = status.code() == StatusCode::kDataLoss &&
                       ++damaged_ < kMaxDamaged && tries_ < kMaxTries;
    if (again) return Head();
    done_(std::move(status));
  }

  const std::shared_ptr<ObjectStore> store_;
  const std::string key_;
  const uint64_t max_bytes_;
  const ObjectRequest request_;
  TakeVersioned take_;
  UniqueFunction<void(Status)> done_;
  int tries_ = 0;
  int damaged_ = 0;  // of them, with this version
  ObjectVersion version_;
  std::shared_ptr<ColdBuffer> bytes_;  // shared with the request
};

}  // namespace

void FetchVersioned(std::shared_ptr<ObjectStore> store, std::string key,
                    uint64_t max_bytes, ObjectRequest request,
                    TakeVersioned take, UniqueFunction<void(Status)> done) {
  std::make_shared<VersionedFetch>(std::move(store), std::move(key), max_bytes,
                                   std::move(request), std::move(take),
                                   std::move(done))
      ->Head();
}

}  // namespace strata
