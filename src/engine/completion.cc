#include "engine/completion.h"

#include "base/check.h"

namespace strata::engine {

AckQueue::~AckQueue() {
  std::deque<Ack> left;
  {
    // Posted without the lock: a CompletionThread that is finished runs what
    // it gets inside Post.
    MutexLock lock(mu_);
    left.swap(acks_);
  }
  for (Ack& ack : left)
    Completion<Result<AppendResult>>(executor_, std::move(ack.done));
}

uint64_t AckQueue::Add(AppendResult result, Done done) {
  MutexLock lock(mu_);
  acks_.push_back({.result = result, .done = std::move(done)});
  return first_ticket_ + acks_.size() - 1;
}

void AckQueue::Settle(uint64_t ticket, Status outcome) {
  {
    MutexLock lock(mu_);
    STRATA_CHECK(ticket >= first_ticket_ &&
                 ticket - first_ticket_ < acks_.size());
    acks_[ticket - first_ticket_].outcome = std::move(outcome);
    if (delivering_ || !acks_.front().outcome) return;
    delivering_ = true;
  }
  executor_->Post([self = shared_from_this()] { self->Deliver(); });
}

std::optional<AckQueue::Ack> AckQueue::TakeSettled() {
  MutexLock lock(mu_);
  if (acks_.empty() || !acks_.front().outcome) {
    delivering_ = false;
    return std::nullopt;
  }
  std::optional<Ack> next = std::move(acks_.front());
  acks_.pop_front();
  ++first_ticket_;
  return next;
}

void AckQueue::Deliver() {
  while (std::optional<Ack> next = TakeSettled()) {
    if (next->outcome->ok()) {
      next->done(next->result);
    } else {
      next->done(*std::move(next->outcome));
    }
  }
}

}  // namespace strata::engine
