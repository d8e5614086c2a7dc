// ReferenceModel: what a store has to answer, kept in plain lists. It is fed
// with what was asked of the store and what the store answered, and says
// whether a bounds, a read or a restart is one that the promises (P1, P3, P4)
// allow. Obviously right rather than fast: it holds all bytes.
//
// Every check answers Ok, or kDataLoss with what was expected and found.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "strata/batch_view.h"
#include "strata/tiered_storage.h"

namespace strata {

// A batch as a read showed it. Borrows the bytes.
struct ObservedBatch {
  OffsetRange offsets;
  Epoch epoch;
  ByteSpan bytes;
};
std::vector<ObservedBatch> Observe(std::span<const BatchView> views);

// A batch as the caller of an append or Write gave it.
struct ModelBatch {
  OffsetRange offsets;
  Epoch epoch;
  std::shared_ptr<const std::string> bytes;
  // An append that asked for kDisk is not visible before it is durable.
  bool wants_disk = false;
  // Last one of an atomic append: a log can end here.
  bool last = true;
};

// How a change ended, as far as its caller knows.
enum class Outcome {
  kDone,
  kRefused,  // nothing changed
  kUnknown,  // may have happened, or may happen yet
};

// A whole partition as it was found after an open.
struct ObservedLog {
  LogBounds bounds;
  std::vector<ObservedBatch> batches;
};

// One partition. Owned by one thread.
class PartitionModel {
 public:
  // What is known when a read begins; what came between is allowed for.
  struct ReadTicket {
    Offset start;
    ReadOptions options;
    Offset must_reach;  // batches below it have to be seen
    Offset log_end;
    size_t version = 0;
  };

  // --- What happened ---

  // The store took an append or Write of `payloads` (bytes and record count
  // each) and answered `result`; the offsets checked are those it must get.
  // `base` is that of a Write.
  struct Payload {
    std::shared_ptr<const std::string> bytes;
    uint64_t records = 1;
  };
  Status Issued(const AppendResult& result, std::span<const Payload> payloads,
                Durability durability,
                std::optional<Offset> base = std::nullopt);
  // Everything below `end` was said to survive a loss of power.
  void Durable(Offset end);

  void BeginTrim(Offset before);
  void EndTrim(Offset before, Outcome outcome);
  // One at a time.
  void BeginTruncate(Offset offset, Epoch epoch);
  void EndTruncate(Outcome outcome);

  // --- What the store answers ---

  Status CheckBounds(const LogBounds& bounds);
  ReadTicket BeginRead(Offset start, const ReadOptions& options) const;
  Status CheckRead(const ReadTicket& ticket,
                   std::span<const ObservedBatch> batches);
  // Whether kOutOfRange is the right answer.
  Status CheckOutOfRange(const ReadTicket& ticket) const;
  // Whether a truncation may be answered with Ok.
  bool MayTruncate(Offset offset, Epoch epoch) const;
  Status CheckEpochEnd(Epoch asked, const EpochEnd& end) const;

  // The store was opened again and shows `log`. What it shows, if it is
  // allowed, is the truth from now on. `clean`: nothing may be lost.
  Status Restart(const ObservedLog& log, bool clean);

  // --- For whoever draws operations ---

  Offset log_start() const { return log_start_; }
  Offset log_end() const { return log_end_; }
  Epoch epoch() const { return epoch_; }
  bool truncating() const { return truncation_.has_value(); }
  // Every batch below it is visible.
  Offset MustReach() const;
  const std::vector<ModelBatch>& log() const { return versions_.back(); }

 private:
  using Log = std::vector<ModelBatch>;

  // Remembers the bytes of {epoch, offset} for ever; other ones are an error.
  Status Remember(Epoch epoch, Offset offset, ByteSpan bytes);
  Status Matches(const Log& log, const ReadTicket& ticket,
                 std::span<const ObservedBatch> batches) const;
  void Truncated();
  bool CanEndAt(Offset end) const;
  Status CheckRestartBounds(const LogBounds& bounds, bool clean) const;

  // One list for each truncation so far, the last is the log now: a read that
  // began before a truncation may show the old one. A list only grows.
  std::vector<Log> versions_ = {{}};
  Offset log_start_;
  Offset log_end_;
  Offset durable_end_;           // everything below survives a crash
  Offset settled_end_;           // log end after the last open or truncation
  Epoch epoch_;                  // greatest that anybody was told of
  std::multiset<Offset> trims_;  // asked for, may have happened
  std::optional<std::pair<Offset, Epoch>> truncation_;  // in flight
  std::map<std::pair<Epoch, Offset>, std::string> ever_;
};

// All topics. Owned by one thread.
class ReferenceModel {
 public:
  struct Topic {
    std::string name;
    TopicId id;
    int deleting = 0;  // deletions that may have happened
    std::vector<PartitionModel> partitions;
  };

  void BeginCreate(const std::string& name, uint32_t partitions);
  // The create was answered: with `info`, or refused when null.
  Status EndCreate(const std::string& name, const TopicInfo* info);
  void BeginDelete(const std::string& name);
  void EndDelete(const std::string& name, const TopicId& id, Outcome outcome);

  // The topics that a store that was opened again lists. Adopts creations and
  // deletions that were in flight.
  Status Restart(std::span<const TopicInfo> listed);

  // Null when there is none.
  Topic* Find(const std::string& name);
  PartitionModel* Find(const TopicId& id, uint32_t partition);
  std::map<std::string, Topic>& topics() { return topics_; }

 private:
  Status Add(const TopicInfo& info);

  std::map<std::string, Topic> topics_;
  std::map<std::string, uint32_t> creating_;
  std::set<TopicId> ids_;  // of all topics ever
};

}  // namespace strata
