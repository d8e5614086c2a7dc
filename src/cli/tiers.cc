// flush, demote, promote: moves data between the tiers by hand.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

struct FlushOptions {
  std::string topic;  // empty: all
};

struct MoveOptions {
  std::string topic;
  StorageTier to = StorageTier::kWarm;
};

using Move = Status (TieredStorage::*)(const TopicPartition&, StorageTier);

// Moves one partition after the other, as far as no interrupt comes.
Status MoveAll(const Invocation& invocation, const MoveOptions& options,
               Move move) {
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(const std::vector<TopicPartition> partitions,
                                PartitionsOf(store, options.topic));
        for (const TopicPartition& partition : partitions) {
          STRATA_RETURN_IF_ERROR(CheckInterrupt());
          const std::string name = partition.ToString();
          const Status moved = (store.*move)(partition, options.to);
          // Many messages name it themselves.
          if (moved.message().starts_with(name)) return moved;
          STRATA_RETURN_IF_ERROR(moved.WithContext(name));
        }
        PrintNote(fmt::format("{}: {} now in {}", options.topic,
                              Counted(partitions.size(), "partition"),
                              Name(options.to)));
        return Status::Ok();
      });
}

Status Demote(const Invocation& invocation, const MoveOptions& options) {
  return MoveAll(invocation, options, &TieredStorage::DemoteTo);
}

Status Promote(const Invocation& invocation, const MoveOptions& options) {
  return MoveAll(invocation, options, &TieredStorage::PromoteTo);
}

Status Flush(const Invocation& invocation, const FlushOptions& options) {
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        if (options.topic.empty()) return store.FlushAll();
        STRATA_ASSIGN_OR_RETURN(const std::vector<TopicPartition> partitions,
                                PartitionsOf(store, options.topic));
        for (const TopicPartition& partition : partitions) {
          STRATA_RETURN_IF_ERROR(CheckInterrupt());
          STRATA_RETURN_IF_ERROR(store.FlushHotTier(partition));
        }
        return Status::Ok();
      });
}

}  // namespace

void AddTiers(CLI::App& app, Invocation& invocation) {
  CLI::App& flush = AddCommand(
      app, invocation, "flush",
      "Write unflushed batches of a topic, or of all, into warm segments",
      "  strata flush\n  strata flush logs");
  flush
      .add_option("TOPIC", OnRun(flush, invocation, Flush).topic,
                  "All topics if absent")
      ->type_name("")
      ->check(Checked(ValidateTopicName));

  CLI::App& demote = AddCommand(
      app, invocation, "demote",
      "Move all of a topic to a colder tier and wait for it",
      "  strata demote logs --to warm\n  strata demote logs --to cold");
  MoveOptions& d = OnRun(demote, invocation, Demote);
  AddTopic(demote, d.topic);
  AddChoice(demote, "--to", d.to,
            {{"warm", StorageTier::kWarm}, {"cold", StorageTier::kCold}},
            "The tier to move to")
      .required();

  CLI::App& promote = AddCommand(
      app, invocation, "promote",
      "Copy all of a topic to a hotter tier and wait for it",
      "  strata promote logs --to warm\n\n"
      "Hot copies lie in the memory of the process that holds the store, so "
      "--to hot\nends with this command.");
  MoveOptions& p = OnRun(promote, invocation, Promote);
  AddTopic(promote, p.topic);
  AddChoice(promote, "--to", p.to,
            {{"warm", StorageTier::kWarm}, {"hot", StorageTier::kHot}},
            "The tier to move to")
      .required();
}

}  // namespace strata::cli
