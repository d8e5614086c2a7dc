#include "object_store/part_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace strata {
namespace {

constexpr int kAttemptsPerPart = 4;
constexpr std::chrono::milliseconds kFirstPause{200};

bool WorthAnotherTry(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kOverloaded;
}

}  // namespace

PartSender::PartSender(Executor& executor, PartPlan plan, Send send, Done done)
    : executor_(executor),
      plan_(plan),
      send_(std::move(send)),
      done_(std::move(done)) {}

void PartSender::Start() {
  const size_t at_once = std::min<size_t>(plan_.parts(), plan_.at_once);
  for (size_t i = 0; i < at_once; ++i) SendNext();
}

void PartSender::SendNext() {
  size_t number = 0;
  {
    MutexLock lock(mu_);
    if (!failed_.ok() || next_ == plan_.parts()) return;
    number = next_++;
    ++under_way_;
  }
  SendPart(number, 1);
}

void PartSender::SendPart(size_t number, int attempt) {
  const uint64_t position = number * plan_.part_bytes;
  const ObjectPart part{
      .number = number,
      .position = position,
      .length = std::min(plan_.part_bytes, plan_.object_bytes - position)};
  // On a thread of its own: the hash of a part may have to be made.
  executor_.Post([self = shared_from_this(), part, attempt] {
    self->send_(part, [self, number = part.number, attempt](Status status) {
      self->PartSent(number, attempt, std::move(status));
    });
  });
}

void PartSender::PartSent(size_t number, int attempt, Status status) {
  bool last = false;
  {
    MutexLock lock(mu_);
    const bool again = !status.ok() && failed_.ok() &&
                       attempt < kAttemptsPerPart &&
                       WorthAnotherTry(status.code());
    if (again) {
      const Duration pause = std::max<Duration>(
          status.retry_after(), kFirstPause * (1 << (attempt - 1)));
      executor_.PostAfter(pause, [self = shared_from_this(), number, attempt] {
        self->SendPart(number, attempt + 1);
      });
      return;
    }
    --under_way_;
    if (status.ok()) {
      ++sent_;
    } else if (failed_.ok()) {
      failed_ = status;
    }
    if (!failed_.ok()) {
      if (under_way_ > 0) return;  // the last one tells
      status = failed_;
    }
    last = sent_ == plan_.parts();
  }
  if (!status.ok() || last) return Finish(std::move(status));
  SendNext();
}

void PartSender::Finish(Status status) {
  Done done;
  {
    MutexLock lock(mu_);
    done = std::move(done_);
  }
  done(std::move(status));
}

}  // namespace strata
