#include "object_store/s3/refreshing_credentials.h"

#include <utility>

namespace strata {
namespace {

constexpr std::chrono::milliseconds kMargin = std::chrono::minutes(5);

bool Same(const Credentials& a, const Credentials& b) {
  return a.access_key == b.access_key && a.secret_key == b.secret_key &&
         a.session_token == b.session_token;
}

}  // namespace

bool RefreshingCredentials::GoodFor(const Shared& credentials,
                                    std::chrono::milliseconds time) const {
  return credentials != nullptr &&
         (!credentials->expires_at ||
          clock_.WallNow() + time.count() < *credentials->expires_at);
}

void RefreshingCredentials::Get(Done done) {
  Shared at_hand;
  bool fetch = false;
  {
    MutexLock lock(mu_);
    if (GoodFor(current_, std::chrono::milliseconds(0))) at_hand = current_;
    if (!GoodFor(current_, kMargin)) fetch = !std::exchange(fetching_, true);
    if (at_hand == nullptr) waiting_.push_back(std::move(done));
  }
  if (fetch) StartFetch();
  if (at_hand != nullptr) done(std::move(at_hand));
}

bool RefreshingCredentials::Refused(const Credentials& credentials) {
  MutexLock lock(mu_);
  // Others may have been refused with these, and new ones be here already.
  if (current_ == nullptr || !Same(*current_, credentials)) return true;
  // Fetched anew, and the same again: there are no others.
  if (refused_ != nullptr && Same(*refused_, credentials)) return false;
  refused_ = std::move(current_);
  current_ = nullptr;
  return true;
}

void RefreshingCredentials::StartFetch() {
  fetch_([self = shared_from_this()](Result<Credentials> fetched) {
    self->Land(std::move(fetched));
  });
}

void RefreshingCredentials::Land(Result<Credentials> fetched) {
  Result<Shared> answer = fetched.status().ok()
                              ? Result<Shared>(Shared())
                              : Result<Shared>(fetched.status());
  if (fetched.ok()) {
    answer = std::make_shared<const Credentials>(*std::move(fetched));
  }
  std::vector<Done> waiting;
  {
    MutexLock lock(mu_);
    if (answer.ok()) current_ = *answer;
    fetching_ = false;
    waiting.swap(waiting_);
  }
  for (Done& done : waiting) done(answer);
}

}  // namespace strata
