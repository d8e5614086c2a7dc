// Verify: reads every byte of every tier and checks every checksum and the
// invariants that bind memory, manifest and bucket together.
#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "engine/coverage.h"
#include "engine/engine_impl.h"

namespace strata::engine {
namespace {

// One run over all partitions, one after the other. Owned by its callbacks,
// which never overlap.
class Verification : public std::enable_shared_from_this<Verification> {
 public:
  Verification(EngineContext& context, ColdRoots* cold_roots,
               VerifyProgress progress, Engine::Done<VerifyReport> done)
      : context_(context),
        cold_roots_(cold_roots),
        partitions_(context.topics.Partitions()),
        progress_(std::move(progress)),
        done_(std::move(done)) {}

  void Start() {
    const Status state = context_.manifest.WithState(
        [](const ManifestState& s) { return s.CheckInvariants(); });
    if (!state.ok()) Find("manifest", state.message());
    Next();
  }

 private:
  void Next() {
    if (next_ == partitions_.size()) return done_(std::move(report_));
    context_.runtime.job_executor().Post(
        [self = shared_from_this()] { self->CheckPartition(); });
  }

  // A topic may go while it is verified; it has no promises left to keep.
  static bool IsDeleted(PartitionState& p) {
    MutexLock lock(p.mu);
    return p.deleted;
  }

  void AddBytes(uint64_t bytes) {
    report_.bytes += bytes;
    if (progress_) progress_(report_.bytes);
  }

  void Find(std::string where, std::string detail) {
    report_.findings.push_back({std::move(where), std::move(detail)});
  }

  void CheckPartition() {
    const PartitionPtr p = partitions_[next_++];
    std::vector<SegmentPtr> segments;
    std::vector<TailBatch> tail;
    OffsetRange cold;  // as far as the local side knows
    {
      MutexLock lock(p->mu);
      CheckBounds(*p);
      for (const auto& [base, segment] : p->segments) {
        segments.push_back(segment);
      }
      tail.assign(p->tail.begin(), p->tail.end());
      if (!p->deleted) cold = {p->log_start, p->cold_end};
    }
    for (const TailBatch& batch : tail) CheckTailBatch(*p, batch);
    for (const SegmentPtr& segment : segments) CheckSegment(*p, segment);
    if (cold.empty()) return Next();
    if (cold_roots_ == nullptr) {
      FindDisabled(*p);
      return Next();
    }
    cold_roots_->Reload(
        p, [self = shared_from_this(), p, cold](Result<ColdPartitionPtr> root) {
          if (!root.ok()) {
            if (IsDeleted(*p)) return self->Next();
            self->Find(p->name.ToString() + " cold", root.status().ToString());
            return self->Next();
          }
          self->owners_.clear();
          self->CheckRun(p, cold, *root, (*root)->log_start);
        });
  }

  void CheckBounds(PartitionState& p) STRATA_REQUIRES(p.mu) {
    if (p.deleted) return;
    const std::string name = p.name.ToString();
    if (p.log_start > p.log_end || p.flushed_end > p.log_end ||
        p.cold_end > p.flushed_end) {
      Find(name, fmt::format("bounds out of order: start {}, cold {}, flushed "
                             "{}, end {}",
                             p.log_start.value(), p.cold_end.value(),
                             p.flushed_end.value(), p.log_end.value()));
    }
    for (const OffsetRange& lost : p.damaged) {
      Find(name, fmt::format("offsets [{}, {}) are lost", lost.base.value(),
                             lost.end.value()));
    }
    if (p.damaged_tail) {
      Find(name, fmt::format("batches from offset {} on may be lost",
                             p.log_end.value()));
    }
    Offset next = std::max(p.log_start, p.cold_end);
    while (next < p.flushed_end) {
      const SegmentPtr owner = p.FindSegment(next);
      const auto damage = p.DamageAt(next);
      if (owner == nullptr && !damage) {
        Find(name, fmt::format("no segment owns offset {}", next.value()));
        return;
      }
      next = owner != nullptr ? owner->entry.offsets.end : damage->end;
    }
  }

  void FindDisabled(PartitionState& p) {
    MutexLock lock(p.mu);
    for (const OffsetRange& range : p.OnlyCold()) {
      Find(p.name.ToString() + " cold",
           fmt::format("offsets [{}, {}) lie in cold storage, which is "
                       "disabled",
                       range.base.value(), range.end.value()));
    }
  }

  // Checks the run of segments that holds `next`, and then those behind it.
  void CheckRun(PartitionPtr p, OffsetRange cold, ColdPartitionPtr root,
                Offset next) {
    next = std::max(next, root->cold_base());
    if (next >= root->cold_end()) {
      CheckCovered(*p, cold, *root);
      return Next();
    }
    context_.cold_manifest->LoadRun(
        p->id, root, next,
        [self = shared_from_this(), p, cold, root,
         next](Result<ColdRunPtr> run) {
          if (run.ok()) return self->CheckCold(p, cold, root, *run, next);
          if (IsDeleted(*p)) return self->Next();
          self->Find(p->name.ToString() + " cold", run.status().ToString());
          // What is below that group of the root cannot be told.
          Offset behind = root->cold_end();
          for (const ColdGroupRef& group : root->groups) {
            if (group.offsets.Contains(next)) behind = group.offsets.end;
          }
          self->CheckRun(p, cold, root, behind);
        });
  }

  // Every offset of `cold` is in the bucket, whatever else holds it.
  void CheckCovered(PartitionState& p, OffsetRange cold,
                    const ColdPartition& root) {
    MutexLock lock(p.mu);
    if (p.deleted) return;
    cold.base = std::max({cold.base, p.log_start, root.log_start});
    std::vector<OffsetRange>& owners = owners_;
    for (const OffsetRange& hole : Uncovered(cold, owners)) {
      Find(p.name.ToString() + " cold",
           fmt::format("the bucket's root (generation {}, expected {}) lacks "
                       "offsets [{}, {})",
                       root.generation, p.cold_generation, hole.base.value(),
                       hole.end.value()));
    }
    for (const auto& [base, segment] : p.segments) {
      owners.push_back(segment->entry.offsets);
    }
    for (const OffsetRange& lost : Uncovered(cold, owners)) {
      Find(p.name.ToString(),
           fmt::format("no segment, local or cold, owns offsets [{}, {})",
                       lost.base.value(), lost.end.value()));
    }
  }

  void CheckTailBatch(const PartitionState& p, const TailBatch& batch) {
    ++report_.batches;
    AddBytes(batch.batch.payload.size());
    const uint32_t found = Crc32c(batch.batch.payload);
    if (found == batch.batch.payload_crc32c) return;
    Find(p.name.ToString(),
         fmt::format("hot batch at {}: checksum expected {:08x}, found {:08x}",
                     batch.offsets().base.value(), batch.batch.payload_crc32c,
                     found));
  }

  void CheckSegment(PartitionState& p, const SegmentPtr& segment) {
    const Status status = context_.warm.VerifyImage(segment->entry);
    {
      MutexLock lock(p.mu);
      // Moved while it was read: what took its place is checked in its turn.
      const auto it = p.segments.find(segment->entry.offsets.base);
      if (it == p.segments.end() || it->second != segment) return;
    }
    ++report_.segments;
    report_.batches += segment->entry.batch_count;
    AddBytes(segment->entry.image_bytes);
    if (!status.ok()) Find(p.name.ToString(), status.ToString());
  }

  // Checks the images of `run` from `next` on.
  void CheckCold(PartitionPtr p, OffsetRange cold, ColdPartitionPtr root,
                 ColdRunPtr run, Offset next) {
    const SegmentEntry* found = FindEntry(*run, next);
    if (found == nullptr) return CheckRun(p, cold, root, next);
    const SegmentEntry entry = *found;
    owners_.push_back(entry.offsets);
    context_.cold->Download(
        entry, [](ByteSpan) { return Status::Ok(); },
        [self = shared_from_this(), p, cold, root, run, entry](Status status) {
          bool wanted;
          {
            MutexLock lock(p->mu);
            wanted = !p->deleted && entry.offsets.end > p->log_start;
          }
          if (wanted) {
            ++self->report_.segments;
            self->report_.batches += entry.batch_count;
            self->AddBytes(entry.image_bytes);
            if (!status.ok()) {
              self->Find(p->name.ToString() + " cold", status.ToString());
            }
          }
          self->CheckCold(p, cold, root, run, entry.offsets.end);
        });
  }

  EngineContext& context_;
  ColdRoots* const cold_roots_;
  const std::vector<PartitionPtr> partitions_;
  size_t next_ = 0;
  std::vector<OffsetRange> owners_;  // of what the present partition has cold
  VerifyReport report_;
  const VerifyProgress progress_;
  Engine::Done<VerifyReport> done_;
};

}  // namespace

void Engine::Impl::Verify(VerifyProgress progress, Done<VerifyReport> done) {
  std::make_shared<Verification>(*context_, cold_roots_.get(),
                                 std::move(progress), std::move(done))
      ->Start();
}

}  // namespace strata::engine
