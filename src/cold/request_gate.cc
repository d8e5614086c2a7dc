#include "cold/request_gate.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"

namespace strata {

Status RequestGate::Enter(Task start) {
  {
    MutexLock lock(mu_);
    if (under_way_ == limits_.under_way) {
      if (waiting_.size() == limits_.waiting) {
        return {StatusCode::kOverloaded,
                fmt::format("{} requests under way and {} waiting", under_way_,
                            waiting_.size())};
      }
      waiting_.push_back(std::move(start));
      return Status::Ok();
    }
    ++under_way_;
  }
  start();
  return Status::Ok();
}

bool RequestGate::TryEnter() {
  MutexLock lock(mu_);
  if (under_way_ == limits_.under_way) return false;
  ++under_way_;
  return true;
}

void RequestGate::Leave() {
  Task next;
  {
    MutexLock lock(mu_);
    STRATA_CHECK(under_way_ > 0);
    if (waiting_.empty()) {
      --under_way_;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next();
}

void RequestGate::Close() {
  std::deque<Task> dropped;
  MutexLock lock(mu_);
  dropped.swap(waiting_);
}

uint32_t RequestGate::under_way() const {
  MutexLock lock(mu_);
  return under_way_;
}

}  // namespace strata
