#include "cold/root_fetch.h"

#include <utility>

#include "cold/versioned_fetch.h"

namespace strata {

void FetchRoot(std::shared_ptr<ObjectStore> store, std::string key,
               PartitionId partition, ObjectRequest request,
               UniqueFunction<void(Result<ColdPartitionPtr>)> done) {
  auto found = std::make_shared<ColdPartition>();
  FetchVersioned(
      std::move(store), std::move(key), kMaxColdRootBytes, std::move(request),
      [found, partition](ByteSpan bytes, ObjectVersion version) {
        Result<ColdRoot> root = DecodeColdRoot(partition, bytes);
        if (!root.ok()) return root.status();
        static_cast<ColdRoot&>(*found) = *std::move(root);
        found->version = std::move(version);
        return Status::Ok();
      },
      [found, done = std::move(done)](Status status) mutable {
        if (!status.ok() && status.code() != StatusCode::kNotFound) {
          return done(std::move(status));
        }
        done(ColdPartitionPtr(std::move(found)));
      });
}

}  // namespace strata
