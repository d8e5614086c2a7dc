// Reads that wait: at the visible end, or while their I/O is under way.
#include <fmt/format.h>

#include <algorithm>

#include "engine/read_request.h"

namespace strata::engine {

Result<Reader::Source> Reader::AtEnd(PartitionState& p, Request& request) {
  if (!request.WaitsForMore()) return Source{};
  const auto given_up = [&]() -> Result<Source> {
    if (request.given_up.load() == StatusCode::kCancelled) {
      return request.GivenUp();
    }
    return Source{};  // out of time: what is there is the answer
  };
  if (request.given_up.load() != StatusCode::kOk) return given_up();
  if (context_.stopping.load(std::memory_order_acquire)) {
    return Status(StatusCode::kClosed, "the store is shut down");
  }
  ArmTimer(request);
  request.cuts = p.cuts;
  Source parked;
  parked.kind = Source::Kind::kParked;
  parked.awaited_seq = p.AwaitedSeq(context_.wal.durable_seq());
  p.read_waiters.push_back(request.shared_from_this());
  request.state.store(Request::State::kParked);
  if (request.given_up.load() != StatusCode::kOk &&
      request.Claim(Request::State::kParked, Request::State::kRunning)) {
    p.read_waiters.pop_back();
    return given_up();
  }
  return parked;
}

void Reader::ArmTimer(Request& request) {
  if (request.options.timeout.count() <= 0 || request.timer_armed) return;
  request.timer_armed = true;
  const Duration passed = context_.runtime.clock().Now() - request.begin;
  context_.runtime.read_executor().PostAfter(
      std::max(Duration::zero(), request.options.timeout - passed),
      request.GiveUpLater(StatusCode::kDeadlineExceeded));
}

void Reader::WakeWhenDurable(PartitionPtr partition, uint64_t wal_seq,
                             int attempts) {
  if (attempts == 0) return;  // the WAL has failed: nothing more will come
  context_.wal.WhenDurable(wal_seq, [this, partition = std::move(partition),
                                     wal_seq, attempts](Status status) mutable {
    // After an error the WAL writes its groups once more, elsewhere.
    if (!status.ok()) {
      return WakeWhenDurable(std::move(partition), wal_seq, attempts - 1);
    }
    MutexLock lock(partition->mu);
    partition->WakeReaders();
  });
}

void Reader::Resume(RequestPtr request) {
  if (!request->Claim(Request::State::kParked, Request::State::kRunning)) {
    return;
  }
  bool cut;
  {
    MutexLock lock(request->partition->mu);
    cut = request->cuts != request->partition->cuts;
  }
  if (cut) {
    // What it has may not be part of the log any more.
    request->batches.clear();
    request->bytes = 0;
    request->coldest = StorageTier::kHot;
    request->next = request->start;
  }
  request->started = context_.Ticks();
  Run(std::move(request));
}

void Reader::GiveUp(RequestPtr request, StatusCode why) {
  StatusCode none = StatusCode::kOk;
  request->given_up.compare_exchange_strong(none, why);
  const bool parked =
      request->Claim(Request::State::kParked, Request::State::kRunning);
  if (!parked && !ComeBack(*request)) return;
  if (parked) {
    MutexLock lock(request->partition->mu);
    std::erase(request->partition->read_waiters,
               std::static_pointer_cast<ReadWaiter>(request));
  }
  // At the visible end, what is there is the answer.
  const bool good = parked && why == StatusCode::kDeadlineExceeded;
  if (!good) request->batches.clear();
  Status status = good ? Status::Ok() : request->GivenUp();
  Finish(std::move(request), std::move(status));
}

bool Reader::Leave(const RequestPtr& request) {
  ArmTimer(*request);
  request->state.store(Request::State::kAway);
  if (request->given_up.load() == StatusCode::kOk) return true;
  if (ComeBack(*request)) {
    Status status = request->GivenUp();
    Finish(request, std::move(status));
  }
  return false;
}

bool Reader::ComeBack(Request& request) {
  return request.Claim(Request::State::kAway, Request::State::kRunning);
}

void Reader::Finish(RequestPtr request, Status status) {
  request->state.store(Request::State::kAnswered);
  request->on_stop.reset();
  Engine::Done<Batches> done = std::move(request->done);
  // An error behind batches is the next read's.
  if (!status.ok() && request->batches.empty()) return done(std::move(status));
  if (!request->batches.empty()) {
    context_.RecordSince(request->started, ReadLatency(request->coldest));
  }
  done(std::move(request->batches));
}

}  // namespace strata::engine
