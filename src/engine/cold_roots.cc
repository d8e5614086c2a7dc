#include "engine/cold_roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace strata::engine {
namespace {

// The range that `root` has to cover, if it does not. What it names tiles, so
// that its bounds tell.
std::optional<OffsetRange> NotCovered(const PartitionState& p,
                                      const ColdPartition& root)
    STRATA_REQUIRES(p.mu) {
  const OffsetRange expected{std::max(p.log_start, root.log_start),
                             std::max(p.cold_end, root.cold_end())};
  const bool whole =
      p.deleted || expected.base >= expected.end ||
      (root.Covers(expected.base) && root.cold_end() == expected.end);
  return whole ? std::nullopt : std::optional(expected);
}

// Whether what the root has beyond the cold end is still part of the log: a
// commit whose outcome was unknown may arrive after a truncation cut it.
bool IsOfThisLog(const PartitionState& p, const ColdPartition& root)
    STRATA_REQUIRES(p.mu) {
  if (root.cold_end() <= p.cold_end) return true;
  Epoch last{};
  for (const EpochStart& epoch : root.epochs) {
    if (epoch.start < root.cold_end()) last = epoch.epoch;
  }
  return EpochAdmits(p.epochs, last, root.cold_end());
}

}  // namespace

void ColdRoots::Load(PartitionPtr partition,
                     Engine::Done<ColdPartitionPtr> done) {
  if (ColdPartitionPtr root = context_.cold_manifest->Cached(partition->id)) {
    bool adopted;
    {
      MutexLock lock(partition->mu);
      adopted = partition->cold_adopted;
    }
    SeeClaim(partition, root);
    if (adopted) return done(std::move(root));
    return Adopt(std::move(partition), std::move(root), std::move(done));
  }
  const PartitionId id = partition->id;
  context_.cold_manifest->Load(
      id, [this, partition = std::move(partition),
           done = std::move(done)](Result<ColdPartitionPtr> root) mutable {
        if (!root.ok()) return done(std::move(root));
        SeeClaim(partition, *root);
        Adopt(std::move(partition), *std::move(root), std::move(done));
      });
}

// Whose root it is. A claim that this store may not follow ends its own.
void ColdRoots::SeeClaim(const PartitionPtr& partition,
                         const ColdPartitionPtr& root) {
  const StoreIdentity& self = context_.identity;
  if (self.session == 0) return;  // reading needs no claim
  // One that was on its way here while another was written tells nothing.
  const bool newest = context_.cold_manifest->Cached(partition->id) == root;
  PartitionChanged change;
  Status fenced;
  {
    MutexLock lock(partition->mu);
    PartitionClaim& claim = partition->claim;
    if (root->claim == claim.known || claim.fenced_by.number > 0) return;
    if (root->claim.number <= claim.known.number && !newest) return;
    claim.held = false;
    if (self.MayFollow(claim.known, root->claim)) return;
    claim.fenced_by = root->claim;
    claim.appends_ahead = false;
    fenced = partition->Fenced();
    change.partition = partition->id;
    change.fenced_by = root->claim;
  }
  context_.log.Error(
      "{}; offsets from {} on that the bucket lacks are only "
      "here",
      fenced.message(), root->cold_end().value());
  context_.attention.NotifyWritable();  // who waits to append waits for nothing
  context_.manifest.Commit({.ops = {std::move(change)}}, [](const Status&) {
    // Else the next look at the root tells it again.
  });
}

void ColdRoots::Reload(PartitionPtr partition,
                       Engine::Done<ColdPartitionPtr> done) {
  context_.cold_manifest->Forget(partition->id);
  Load(std::move(partition), std::move(done));
}

void ColdRoots::LoadWhole(PartitionPtr partition,
                          Engine::Done<ColdPartitionPtr> done) {
  bool was_short;
  {
    MutexLock lock(partition->mu);
    was_short = partition->cold_short;
  }
  if (was_short) context_.cold_manifest->Forget(partition->id);
  LoadChecked(std::move(partition), std::move(done));
}

void ColdRoots::LoadChecked(PartitionPtr partition,
                            Engine::Done<ColdPartitionPtr> done) {
  Load(partition, [this, partition, done = std::move(done)](
                      Result<ColdPartitionPtr> root) mutable {
    if (!root.ok()) return done(std::move(root));
    std::optional<OffsetRange> expected;
    bool mended = false;
    {
      MutexLock lock(partition->mu);
      if (Status fenced = partition->Fenced(); !fenced.ok()) {
        root = std::move(fenced);
      } else {
        expected = NotCovered(*partition, **root);
      }
      if (root.ok() && !expected) {
        mended = std::exchange(partition->cold_short, false);
      }
    }
    if (!root.ok()) return done(std::move(root));
    if (mended) {
      context_.log.Info("{}: the bucket has again what is cold",
                        partition->name.ToString());
    }
    if (!expected) return done(std::move(root));
    // Offloaded, and published, while this root was on its way here.
    if (context_.cold_manifest->Cached(partition->id) != *root) {
      return LoadChecked(std::move(partition), std::move(done));
    }
    done(Refuse(*partition, **root, *expected));
  });
}

Status ColdRoots::Refuse(PartitionState& partition, const ColdPartition& root,
                         OffsetRange expected) {
  uint64_t generation;
  bool first;
  {
    MutexLock lock(partition.mu);
    generation = partition.cold_generation;
    partition.cold_adopted = false;
    first = !std::exchange(partition.cold_short, true);
  }
  Status status(
      StatusCode::kDataLoss,
      fmt::format("{}: the bucket lacks what is cold: expected offsets [{}, "
                  "{}) of root generation {}, found [{}, {}) of generation {}; "
                  "is it mounted, and the right one?",
                  partition.name.ToString(), expected.base.value(),
                  expected.end.value(), generation, root.cold_base().value(),
                  root.cold_end().value(), root.generation));
  if (first) {
    context_.log.Error("{}; nothing is offloaded or dropped", status.message());
  }
  return status;
}

void ColdRoots::Adopt(PartitionPtr partition, ColdPartitionPtr root,
                      Engine::Done<ColdPartitionPtr> done) {
  const Offset root_end = root->cold_end();
  PartitionChanged change;
  {
    MutexLock lock(partition->mu);
    const bool whole =
        !NotCovered(*partition, *root) && IsOfThisLog(*partition, *root);
    // Beyond flushed_end it cannot reach: what is offloaded was flushed.
    const bool behind =
        context_.manifest.status().ok() && partition->Fenced().ok() &&
        !partition->cold_adopted && !partition->deleted && whole &&
        root_end > partition->cold_end && root_end <= partition->flushed_end;
    if (!behind) {
      partition->cold_adopted = partition->cold_adopted || whole;
    } else {
      change.partition = partition->id;
      change.cold_end = root_end;
      change.cold_generation = root->generation;
    }
  }
  if (!change.cold_end) return done(std::move(root));
  context_.log.Info("{}: adopting the bucket's cold end {}",
                    partition->name.ToString(), root_end.value());
  context_.manifest.Commit(
      {.ops = {change}},
      [partition = std::move(partition), root = std::move(root), root_end,
       done = std::move(done)](Status status) mutable {
        // Deleted meanwhile: nobody needs the mark any more.
        if (status.code() == StatusCode::kConflict) {
          return done(std::move(root));
        }
        if (!status.ok()) return done(std::move(status));
        {
          MutexLock lock(partition->mu);
          partition->cold_end = std::max(partition->cold_end, root_end);
          partition->cold_generation =
              std::max(partition->cold_generation, root->generation);
          partition->cold_adopted = true;
        }
        done(std::move(root));
      });
}

void ColdRoots::LoadEntries(PartitionPtr partition, ColdPartitionPtr root,
                            std::vector<Offset> offsets,
                            Engine::Done<ColdEntries> done) {
  LoadNextEntry(std::move(partition), std::move(root), std::move(offsets), {},
                std::move(done));
}

// Takes the last of `offsets`.
void ColdRoots::LoadNextEntry(PartitionPtr partition, ColdPartitionPtr root,
                              std::vector<Offset> offsets, ColdEntries found,
                              Engine::Done<ColdEntries> done) {
  while (!offsets.empty() && (FindEntry(found, offsets.back()) != nullptr ||
                              !root->Covers(offsets.back()))) {
    offsets.pop_back();
  }
  if (offsets.empty()) return done(std::move(found));
  const Offset offset = offsets.back();
  const PartitionId id = partition->id;
  auto add = [this, partition = std::move(partition), root, offset,
              offsets = std::move(offsets), found = std::move(found),
              done = std::move(done)](Result<ColdRunPtr> run) mutable {
    if (!run.ok()) return done(run.status());
    // What it covers, a run holds.
    const SegmentEntry& entry = *FindEntry(**run, offset);
    found.emplace(entry.offsets.base, entry);
    LoadNextEntry(std::move(partition), std::move(root), std::move(offsets),
                  std::move(found), std::move(done));
  };
  context_.cold_manifest->LoadRun(id, std::move(root), offset, std::move(add));
}

void ColdRoots::ForEach(PartitionPtr partition, ColdPartitionPtr root,
                        OffsetRange range, EachRun each,
                        Engine::StatusDone done) {
  range.base = std::max(range.base, root->cold_base());
  range.end = std::min(range.end, root->cold_end());
  if (range.empty()) return done(Status::Ok());
  const PartitionId id = partition->id;
  auto hand_over = [this, partition = std::move(partition), root, range,
                    each = std::move(each),
                    done = std::move(done)](Result<ColdRunPtr> run) mutable {
    if (!run.ok()) return done(run.status());
    std::vector<SegmentEntry> entries;
    for (const SegmentEntry* entry = FindEntry(**run, range.base);
         entry != nullptr && range.base < range.end;
         entry = FindEntry(**run, range.base)) {
      entries.push_back(*entry);
      range.base = entry->offsets.end;
    }
    Status status = each(std::move(entries));
    if (!status.ok()) return done(std::move(status));
    // Not inside this call: there may be many runs.
    context_.runtime.cold_executor().Post(
        [this, partition = std::move(partition), root = std::move(root), range,
         each = std::move(each), done = std::move(done)]() mutable {
          ForEach(std::move(partition), std::move(root), range, std::move(each),
                  std::move(done));
        });
  };
  context_.cold_manifest->LoadRun(id, std::move(root), range.base,
                                  std::move(hand_over));
}

}  // namespace strata::engine
