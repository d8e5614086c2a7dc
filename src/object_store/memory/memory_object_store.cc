#include "object_store/memory/memory_object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "object_store/blocking_object_store.h"

namespace strata {
namespace {

struct Object {
  std::shared_ptr<const std::string> bytes;
  ObjectVersion version;
};

Status NotFound(const std::string& key) {
  return {StatusCode::kNotFound, fmt::format("memory:{}: no such object", key)};
}

// Thread-safe.
class MemoryObjectStore final : public BlockingObjectStore {
 public:
  explicit MemoryObjectStore(Runtime& runtime) : BlockingObjectStore(runtime) {}

  std::string Describe() const override { return "memory:"; }
  ObjectStoreCapabilities Capabilities() const override {
    return {.put_if_absent = true,
            .put_if_version = true,
            .max_object_bytes = uint64_t{1} << 40,
            .multipart_above_bytes = 0};
  }

 private:
  Result<ObjectVersion> PutNow(const std::string& key, ObjectSource& source,
                               const PutPrecondition& condition) override {
    auto bytes = std::make_shared<std::string>(source.size(), '\0');
    STRATA_RETURN_IF_ERROR(source.ReadAt(
        0, std::as_writable_bytes(std::span(bytes->data(), bytes->size()))));
    // Goes when the lock is released: freeing it may take long.
    std::shared_ptr<const std::string> replaced;
    MutexLock lock(mu_);
    const auto found = objects_.find(key);
    const bool exists = found != objects_.end();
    if (condition.kind == PutPrecondition::Kind::kAbsent && exists) {
      return Status(StatusCode::kConflict,
                    fmt::format("memory:{}: exists already", key));
    }
    if (condition.kind == PutPrecondition::Kind::kVersion &&
        (!exists || found->second.version != condition.version)) {
      return Status(StatusCode::kConflict,
                    fmt::format("memory:{}: expected version {}, found {}", key,
                                condition.version,
                                exists ? found->second.version : "none"));
    }
    if (exists) replaced = found->second.bytes;
    Object& object = objects_[key];
    object = {std::move(bytes), fmt::format("v{}", ++last_version_)};
    return object.version;
  }

  Result<size_t> GetNow(const std::string& key, uint64_t position,
                        std::span<std::byte> out) override {
    STRATA_ASSIGN_OR_RETURN(const Object object, Find(key));
    const uint64_t size = object.bytes->size();
    if (out.empty()) return size_t{0};
    if (position >= size) {
      return Status(StatusCode::kOutOfRange,
                    fmt::format("memory:{}: position {} at or behind the end "
                                "{}",
                                key, position, size));
    }
    const size_t n = std::min<uint64_t>(out.size(), size - position);
    std::memcpy(out.data(), object.bytes->data() + position, n);
    return n;
  }

  Result<ObjectInfo> HeadNow(const std::string& key) override {
    STRATA_ASSIGN_OR_RETURN(Object object, Find(key));
    return ObjectInfo{key, object.bytes->size(), std::move(object.version)};
  }

  Status DeleteNow(const std::string& key) override {
    Object removed;
    MutexLock lock(mu_);
    if (auto node = objects_.extract(key)) removed = std::move(node.mapped());
    return Status::Ok();
  }

  Result<ListPage> ListNow(const std::string& prefix, const std::string& after,
                           size_t limit) override {
    ListPage page;
    MutexLock lock(mu_);
    auto it = after < prefix ? objects_.lower_bound(prefix)
                             : objects_.upper_bound(after);
    for (; it != objects_.end() && it->first.starts_with(prefix); ++it) {
      if (page.objects.size() == limit) {
        page.more = true;
        break;
      }
      page.objects.push_back(
          {it->first, it->second.bytes->size(), it->second.version});
    }
    return page;
  }

  Result<Object> Find(const std::string& key) {
    MutexLock lock(mu_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return NotFound(key);
    return found->second;
  }

  Mutex mu_;
  std::map<std::string, Object> objects_ STRATA_GUARDED_BY(mu_);
  uint64_t last_version_ STRATA_GUARDED_BY(mu_) = 0;
};

}  // namespace

std::shared_ptr<ObjectStore> MakeMemoryObjectStore(Runtime& runtime) {
  return std::make_shared<MemoryObjectStore>(runtime);
}

}  // namespace strata
