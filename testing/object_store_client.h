// ObjectStoreClient: an object store for tests that want to wait.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "strata/object_store.h"
#include "testing/await.h"

namespace strata {

// Borrows both. Owned by one thread.
class ObjectStoreClient {
 public:
  ObjectStoreClient(ObjectStore& store, Runtime& runtime)
      : store_(store), runtime_(runtime) {}

  // Of the requests that follow.
  ObjectRequest request{};

  Result<ObjectVersion> Put(
      std::string key, std::string bytes,
      PutPrecondition precondition = PutPrecondition::None()) {
    return Await<Result<ObjectVersion>>(runtime_, [&](auto done) {
      store_.Put(std::move(key), MakeStringSource(std::move(bytes)),
                 std::move(precondition), request, std::move(done));
    });
  }
  // At most `length` bytes.
  Result<std::string> Get(std::string key, uint64_t position, size_t length) {
    std::string bytes(length, '?');
    const auto out = std::as_writable_bytes(std::span(bytes));
    const auto filled = Await<Result<size_t>>(runtime_, [&](auto done) {
      store_.Get(std::move(key), position, out, request, std::move(done));
    });
    if (!filled.ok()) return filled.status();
    bytes.resize(*filled);
    return bytes;
  }
  // Objects of the tests have less than 64 KiB.
  Result<std::string> Get(std::string key) {
    return Get(std::move(key), 0, 65536);
  }
  Result<ObjectInfo> Head(std::string key) {
    return Await<Result<ObjectInfo>>(runtime_, [&](auto done) {
      store_.Head(std::move(key), request, std::move(done));
    });
  }
  Status Delete(std::string key) {
    return Await<Status>(runtime_, [&](auto done) {
      store_.Delete(std::move(key), request, std::move(done));
    });
  }
  Result<ListPage> List(std::string prefix, std::string after, size_t limit) {
    return Await<Result<ListPage>>(runtime_, [&](auto done) {
      store_.List(std::move(prefix), std::move(after), limit, request,
                  std::move(done));
    });
  }
  // All keys, page by page.
  std::vector<std::string> Keys(const std::string& prefix = "",
                                size_t limit = 1000) {
    std::vector<std::string> keys;
    for (;;) {
      const auto page = List(prefix, keys.empty() ? "" : keys.back(), limit);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return keys;
      for (const ObjectInfo& object : page->objects) keys.push_back(object.key);
      if (!page->more) return keys;
      EXPECT_FALSE(page->objects.empty()) << "an empty page says more";
      if (page->objects.empty()) return keys;
    }
  }

 private:
  ObjectStore& store_;
  Runtime& runtime_;
};

}  // namespace strata
