// How the answers of asynchronous calls reach the host: exactly once, on its
// executor, and those of a partition's appends in the order of their offsets.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "strata/executor.h"
#include "strata/tiered_storage.h"

namespace strata::engine {

using ExecutorPtr = std::shared_ptr<CompletionExecutor>;

// The duty to answer one call with an A, a Status or a Result. An answer that
// never comes, because the store goes first, is kClosed. Owned by one thread
// at a time.
template <typename A>
class Completion {
 public:
  using Done = std::function<void(A)>;

  Completion(ExecutorPtr executor, Done done)
      : executor_(std::move(executor)), done_(std::move(done)) {}
  Completion(Completion&& other) noexcept
      : executor_(std::move(other.executor_)),
        done_(std::exchange(other.done_, nullptr)) {}
  Completion& operator=(Completion&&) = delete;
  ~Completion() {
    if (done_) Answer(Status(StatusCode::kClosed, "the store was closed"));
  }

  void Answer(A answer) {
    executor_->Post(
        [done = std::exchange(done_, nullptr),
         answer = std::move(answer)]() mutable { done(std::move(answer)); });
  }

 private:
  ExecutorPtr executor_;
  Done done_;
};

// The acknowledgements of one partition's asynchronous appends. Thread-safe;
// its lock is a leaf. In a shared_ptr.
class AckQueue : public std::enable_shared_from_this<AckQueue> {
 public:
  using Done = std::function<void(Result<AppendResult>)>;

  explicit AckQueue(ExecutorPtr executor) : executor_(std::move(executor)) {}
  // Answers kClosed to what was not settled.
  ~AckQueue();

  // To be called in the order of the offsets. `done` gets `result` once
  // Settle was called with the ticket that this returns, and after all those
  // added before it.
  uint64_t Add(AppendResult result, Done done);
  // The append has its durability, or failed to get it. Never calls a `done`
  // inside the call; may be called under locks.
  void Settle(uint64_t ticket, Status outcome);

 private:
  struct Ack {
    AppendResult result;
    Done done;
    std::optional<Status> outcome{};
  };

  // Answers what is settled, one after the other, on the host's executor.
  void Deliver();
  // The next one to answer; without one, delivering ends.
  std::optional<Ack> TakeSettled();

  const ExecutorPtr executor_;
  Mutex mu_;
  std::deque<Ack> acks_ STRATA_GUARDED_BY(mu_);
  uint64_t first_ticket_ STRATA_GUARDED_BY(mu_) = 0;  // of acks_.front()
  bool delivering_ STRATA_GUARDED_BY(mu_) = false;
};

}  // namespace strata::engine
