#include "cold/root_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "cold/chunk_store.h"

namespace strata {
namespace {

// A root may be replaced between Head and Get, and bytes may be damaged on
// their way.
constexpr int kMaxTries = 3;

// Runs on one task at a time.
class RootFetch : public std::enable_shared_from_this<RootFetch> {
 public:
  RootFetch(std::shared_ptr<ObjectStore> store, std::string key,
            PartitionId partition, ObjectRequest request,
            UniqueFunction<void(Result<ColdPartitionPtr>)> done)
      : store_(std::move(store)),
        key_(std::move(key)),
        partition_(partition),
        request_(std::move(request)),
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
    if (info.status().code() == StatusCode::kNotFound) {
      return done_(ColdPartitionPtr(std::make_shared<ColdPartition>()));
    }
    if (!info.ok()) return done_(info.status().WithContext("object " + key_));
    if (info->size_bytes > kMaxColdRootBytes) {
      return done_(Status(
          StatusCode::kDataLoss,
          fmt::format("object {}: expected a root of at most {} bytes, found "
                      "{}",
                      key_, kMaxColdRootBytes, info->size_bytes)));
    }
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
    const ByteSpan bytes = bytes_->bytes();
    const Status whole = CheckGot(key_, 0, bytes.size(), got);
    if (!whole.ok()) return Retry(whole);
    Result<ColdRoot> root = DecodeColdRoot(partition_, bytes);
    if (!root.ok()) return Retry(root.status().WithContext("object " + key_));
    auto partition = std::make_shared<ColdPartition>();
    static_cast<ColdRoot&>(*partition) = *std::move(root);
    partition->version = std::move(version_);
    done_(ColdPartitionPtr(std::move(partition)));
  }

  void Retry(const Status& status) {
    if (status.code() != StatusCode::kDataLoss || tries_ == kMaxTries) {
      return done_(status);
    }
    Head();
  }

  const std::shared_ptr<ObjectStore> store_;
  const std::string key_;
  const PartitionId partition_;
  const ObjectRequest request_;
  UniqueFunction<void(Result<ColdPartitionPtr>)> done_;
  int tries_ = 0;
  ObjectVersion version_;
  std::shared_ptr<ColdBuffer> bytes_;  // shared with the request
};

}  // namespace

void FetchRoot(std::shared_ptr<ObjectStore> store, std::string key,
               PartitionId partition, ObjectRequest request,
               UniqueFunction<void(Result<ColdPartitionPtr>)> done) {
  std::make_shared<RootFetch>(std::move(store), std::move(key), partition,
                              std::move(request), std::move(done))
      ->Head();
}

}  // namespace strata
