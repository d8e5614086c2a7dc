// Shutdown: leaves the jobs, then closes WAL and manifest in that order.
#include <utility>

#include "engine/engine_impl.h"

namespace strata::engine {

void Engine::Impl::Shutdown(StatusDone done) {
  if (stopping_.exchange(true, std::memory_order_acq_rel)) {
    return done(Status::Ok());
  }
  NotifyWritable();
  for (const PartitionPtr& partition : topics_.Partitions()) {
    MutexLock lock(partition->mu);
    partition->WakeReaders();
  }
  // Whichever comes first: the jobs have stopped, or the time is over.
  auto once = std::make_shared<std::atomic<bool>>(false);
  auto close = std::make_shared<StatusDone>(std::move(done));
  const auto go = [this, once, close] {
    if (!once->exchange(true)) CloseLogs(std::move(*close));
  };
  runtime_.job_executor().PostAfter(config_.shutdown_timeout, go);
  runner_->Stop(go);
}

void Engine::Impl::CloseLogs(StatusDone done) {
  wal_->Close([this, done = std::move(done)](Status wal_status) mutable {
    if (read_only_) return done(std::move(wal_status));
    Checkpoint checkpoint;
    checkpoint.clean = wal_status.ok();
    checkpoint.wal_synced_seq = wal_->durable_seq();
    checkpoint.next_segment_id = next_segment_id_;
    checkpoint.next_file_number = next_file_number_;
    checkpoint.at = runtime_.clock().WallNow();
    // Edits of their own, in the same sync: that one is refused, or lost, must
    // not make this an unclean end.
    for (ManifestEdit& edit : AccessEdits()) {
      manifest_->Commit(std::move(edit), [](Status) {});
    }
    manifest_->Commit({.ops = {std::move(checkpoint)}},
                      [this, wal_status = std::move(wal_status),
                       done = std::move(done)](Status status) mutable {
                        if (wal_status.ok()) wal_status = std::move(status);
                        manifest_->Close([wal_status = std::move(wal_status),
                                          done = std::move(done),
                                          this](Status closed) mutable {
                          // The clock may go before a store that does not
                          // answer.
                          if (cold_store_ != nullptr) cold_store_->StopTiming();
                          if (wal_status.ok()) wal_status = std::move(closed);
                          done(std::move(wal_status));
                        });
                      });
  });
}

}  // namespace strata::engine
