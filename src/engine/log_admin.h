// LogAdmin: what changes a topic or the bounds of a log: create, delete, trim,
// truncate. Each is durable in the manifest before it answers.
#pragma once

#include <string>

#include "engine/cold_roots.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/file_reaper.h"

namespace strata::engine {

// Thread-safe.
class LogAdmin {
 public:
  LogAdmin(EngineContext& context, ColdRoots* cold_roots, FileReaper& reaper)
      : context_(context), cold_roots_(cold_roots), reaper_(reaper) {}

  void CreateTopic(std::string name, uint32_t partitions,
                   TopicSettings settings, Engine::Done<TopicInfo> done);
  // Answers the topic, which the manifest has to be purged from the object
  // store if anything of it may be there.
  void DeleteTopic(std::string name, Engine::Done<TopicPtr> done);
  void Trim(PartitionPtr partition, Offset before, Engine::StatusDone done);
  void TruncateTail(PartitionPtr partition, Offset offset, Epoch epoch,
                    Engine::StatusDone done);

 private:
  struct Truncation;
  using TruncationPtr = std::unique_ptr<Truncation>;

  bool MayBeCold(const Topic& topic) const;
  void Drop(const Topic& topic);
  void AdoptRoot(TruncationPtr truncation);
  void EnterTail(TruncationPtr truncation);
  void CheckTruncation(TruncationPtr truncation);
  void SyncTruncation(TruncationPtr truncation);
  void CommitTruncation(TruncationPtr truncation);
  void ApplyTruncation(Truncation& truncation);
  void FinishTruncation(TruncationPtr truncation, Status status);

  EngineContext& context_;
  ColdRoots* const cold_roots_;  // null: cold storage disabled
  FileReaper& reaper_;
};

}  // namespace strata::engine
