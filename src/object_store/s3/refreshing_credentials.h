// RefreshingCredentials: credentials that expire, fetched anew in time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "object_store/s3/credentials.h"
#include "runtime/clock.h"

namespace strata {

// Fetches when there are none or they end within five minutes, one fetch at a
// time. Until they have ended, the ones at hand are answered: who asks waits
// only for the first. Thread-safe; owned by shared_ptr.
class RefreshingCredentials final
    : public CredentialsProvider,
      public std::enable_shared_from_this<RefreshingCredentials> {
 public:
  using Fetched = std::function<void(Result<Credentials>)>;
  // Continues with what it found, maybe inside the call.
  using Fetch = std::function<void(Fetched)>;

  // `clock` outlives this and its fetches.
  RefreshingCredentials(Fetch fetch, const Clock& clock)
      : fetch_(std::move(fetch)), clock_(clock) {}

  void Get(Done done) override;
  bool Refused(const Credentials& credentials) override;

 private:
  using Shared = std::shared_ptr<const Credentials>;

  void StartFetch();
  void Land(Result<Credentials> fetched);
  bool GoodFor(const Shared& credentials, std::chrono::milliseconds time) const;

  const Fetch fetch_;
  const Clock& clock_;
  Mutex mu_;
  Shared current_ STRATA_GUARDED_BY(mu_);
  Shared refused_ STRATA_GUARDED_BY(mu_);  // the last that a server refused
  bool fetching_ STRATA_GUARDED_BY(mu_) = false;
  std::vector<Done> waiting_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
