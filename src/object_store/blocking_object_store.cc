#include "object_store/blocking_object_store.h"

#include <fmt/format.h>

#include <utility>

namespace strata {

template <typename T>
void BlockingObjectStore::Run(Status valid, ObjectRequest request,
                              UniqueFunction<T()> work, Done<T> done) {
  const MonotonicTime called = runtime_.clock().Now();
  runtime_.cold_executor().Post(
      [self = shared_from_this(), called, valid = std::move(valid),
       request = std::move(request), work = std::move(work),
       done = std::move(done)]() mutable {
        if (!valid.ok()) return done(std::move(valid));
        if (request.cancel.stop_requested()) {
          return done(Status(StatusCode::kCancelled, "request cancelled"));
        }
        const Duration waited = self->runtime_.clock().Now() - called;
        if (request.timeout.count() > 0 && waited >= request.timeout) {
          return done(Status(StatusCode::kDeadlineExceeded,
                             fmt::format("request not begun within {} ms",
                                         request.timeout.count())));
        }
        T answer = work();
        work = nullptr;  // lets the source go before the caller goes on
        done(std::move(answer));
      });
}

void BlockingObjectStore::Put(std::string key,
                              std::shared_ptr<ObjectSource> source,
                              PutPrecondition precondition,
                              ObjectRequest request,
                              Done<Result<ObjectVersion>> done) {
  Status valid = ValidateObjectKey(key);
  auto work = [this, key = std::move(key), source = std::move(source),
               precondition = std::move(precondition)] {
    return PutNow(key, *source, precondition);
  };
  Run<Result<ObjectVersion>>(std::move(valid), std::move(request),
                             std::move(work), std::move(done));
}

void BlockingObjectStore::Get(std::string key, uint64_t position,
                              std::span<std::byte> out, ObjectRequest request,
                              Done<Result<size_t>> done) {
  Status valid = ValidateObjectKey(key);
  auto work = [this, key = std::move(key), position, out] {
    return GetNow(key, position, out);
  };
  Run<Result<size_t>>(std::move(valid), std::move(request), std::move(work),
                      std::move(done));
}

void BlockingObjectStore::Head(std::string key, ObjectRequest request,
                               Done<Result<ObjectInfo>> done) {
  Status valid = ValidateObjectKey(key);
  auto work = [this, key = std::move(key)] { return HeadNow(key); };
  Run<Result<ObjectInfo>>(std::move(valid), std::move(request), std::move(work),
                          std::move(done));
}

void BlockingObjectStore::Delete(std::string key, ObjectRequest request,
                                 Done<Status> done) {
  Status valid = ValidateObjectKey(key);
  auto work = [this, key = std::move(key)] { return DeleteNow(key); };
  Run<Status>(std::move(valid), std::move(request), std::move(work),
              std::move(done));
}

void BlockingObjectStore::List(std::string prefix, std::string after,
                               size_t limit, ObjectRequest request,
                               Done<Result<ListPage>> done) {
  Status valid;
  if (limit < 1 || limit > 1000) {
    valid = Status(StatusCode::kInvalidArgument,
                   fmt::format("list limit {}: expected 1 to 1000", limit));
  }
  auto work = [this, prefix = std::move(prefix), after = std::move(after),
               limit] { return ListNow(prefix, after, limit); };
  Run<Result<ListPage>>(std::move(valid), std::move(request), std::move(work),
                        std::move(done));
}

}  // namespace strata
