// topics create, list, delete, describe.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

struct CreateOptions {
  std::string topic;
  uint32_t partitions = 1;
};

struct TopicOptions {
  std::string topic;
};

struct NoOptions {};

Status Create(const Invocation& invocation, const CreateOptions& options) {
  return WithStore(
      invocation, IfMissing::kCreate, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(
            const TopicInfo topic,
            store.CreateTopic(options.topic, options.partitions));
        PrintNote(fmt::format("created topic {} with {}, id {}", topic.name,
                              Counted(topic.partitions, "partition"),
                              topic.id.ToString()));
        return Status::Ok();
      });
}

Status Delete(const Invocation& invocation, const TopicOptions& options) {
  return WithStore(invocation, IfMissing::kFail,
                   [&](TieredStorage& store) -> Status {
                     STRATA_RETURN_IF_ERROR(store.DeleteTopic(options.topic));
                     PrintNote(fmt::format("deleted topic {}", options.topic));
                     return Status::Ok();
                   });
}

Status List(const Invocation& invocation, const NoOptions&) {
  return WithStore(
      invocation, IfMissing::kFail, [](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(const std::vector<TopicInfo> topics,
                                store.ListTopics());
        Table table({{"TOPIC", Table::Align::kLeft},
                     {"PARTITIONS"},
                     {"RECORDS"},
                     {"ID", Table::Align::kLeft}});
        for (const TopicInfo& topic : topics) {
          uint64_t records = 0;
          for (uint32_t p = 0; p < topic.partitions; ++p) {
            STRATA_ASSIGN_OR_RETURN(const LogBounds bounds,
                                    store.Bounds({topic.name, p}));
            records += bounds.log_end - bounds.log_start;
          }
          table.AddRow({topic.name, std::to_string(topic.partitions),
                        FormatCount(records), topic.id.ToString()});
        }
        return Print(table.Render());
      });
}

// How many segments have a copy in the tier.
size_t CountIn(const std::vector<SegmentMetadata>& segments,
               bool SegmentMetadata::* in_tier) {
  size_t count = 0;
  for (const SegmentMetadata& segment : segments) count += segment.*in_tier;
  return count;
}

Status Describe(const Invocation& invocation, const TopicOptions& options) {
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(const TopicInfo topic,
                                store.DescribeTopic(options.topic));
        Table table({{"PARTITION"},
                     {"START"},
                     {"COLD END"},
                     {"DURABLE END"},
                     {"END"},
                     {"EPOCH"},
                     {"HOT SEGMENTS"},
                     {"WARM"},
                     {"COLD"}});
        for (uint32_t p = 0; p < topic.partitions; ++p) {
          const TopicPartition partition{topic.name, p};
          STRATA_ASSIGN_OR_RETURN(const LogBounds bounds,
                                  store.Bounds(partition));
          STRATA_ASSIGN_OR_RETURN(const std::vector<SegmentMetadata> segments,
                                  store.Segments(partition));
          const auto cell = [](auto number) { return fmt::to_string(number); };
          table.AddRow(
              {cell(p), cell(bounds.log_start.value()),
               cell(bounds.cold_end.value()), cell(bounds.durable_end.value()),
               cell(bounds.log_end.value()), cell(bounds.epoch.value()),
               cell(CountIn(segments, &SegmentMetadata::in_hot)),
               cell(CountIn(segments, &SegmentMetadata::in_warm)),
               cell(CountIn(segments, &SegmentMetadata::in_cold))});
        }
        return Print(fmt::format("topic {}, id {}, {}\n", topic.name,
                                 topic.id.ToString(),
                                 Counted(topic.partitions, "partition")) +
                     table.Render());
      });
}

}  // namespace

void AddTopics(CLI::App& app, Invocation& invocation) {
  CLI::App& topics =
      *app.add_subcommand("topics", "Create, list, delete, describe topics");
  topics.require_subcommand(1);
  AddStoreOptions(topics, invocation);

  CLI::App& create = AddCommand(topics, invocation, "create", "Create a topic",
                                "  strata topics create orders --partitions 8");
  CreateOptions& c = OnRun(create, invocation, Create);
  AddTopic(create, c.topic);
  create.add_option("--partitions", c.partitions, "How many (default 1)")
      ->type_name("N")
      ->check(CLI::Range(1u, 100'000u));

  CLI::App& list = AddCommand(topics, invocation, "list", "All topics",
                              "  strata topics list --data-dir /srv/log");
  OnRun(list, invocation, List);

  CLI::App& remove = AddCommand(topics, invocation, "delete",
                                "Delete a topic and all that is in it",
                                "  strata topics delete orders");
  AddTopic(remove, OnRun(remove, invocation, Delete).topic);

  CLI::App& describe =
      AddCommand(topics, invocation, "describe",
                 "Bounds, epoch and segments of each partition",
                 "  strata topics describe orders");
  AddTopic(describe, OnRun(describe, invocation, Describe).topic);
}

}  // namespace strata::cli
