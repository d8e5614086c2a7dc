// topics create, list, delete, describe; trim.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "cli/view.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

struct CreateOptions {
  std::string topic;
  uint32_t partitions = 1;
  TopicSettings settings;
};

struct DeleteOptions {
  std::string topic;
};

// What of the topics is listed, and how.
enum class ListFormat { kTable, kJson, kNames };

struct ListOptions {
  ListFormat output = ListFormat::kTable;
};

struct DescribeOptions {
  std::string topic;
  OutputFormat output = OutputFormat::kTable;
};

struct TrimOptions {
  std::string topic;
  std::optional<uint32_t> partition;
  uint64_t before = 0;
};

Status Create(const Invocation& invocation, const CreateOptions& options) {
  return WithStore(
      invocation, IfMissing::kCreate, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(
            const TopicInfo topic,
            store.CreateTopic(options.topic, options.partitions,
                              options.settings));
        PrintNote(fmt::format("created topic {} with {}, id {}", topic.name,
                              Counted(topic.partitions, "partition"),
                              topic.id.ToString()));
        return Status::Ok();
      });
}

Status Delete(const Invocation& invocation, const DeleteOptions& options) {
  return WithStore(invocation, IfMissing::kFail,
                   [&](TieredStorage& store) -> Status {
                     STRATA_RETURN_IF_ERROR(store.DeleteTopic(options.topic));
                     PrintNote(fmt::format("deleted topic {}", options.topic));
                     return Status::Ok();
                   });
}

// Offsets between start and end, of all partitions.
Result<uint64_t> RecordsOf(TieredStorage& store, const TopicInfo& topic) {
  uint64_t records = 0;
  for (uint32_t p = 0; p < topic.partitions; ++p) {
    STRATA_ASSIGN_OR_RETURN(const LogBounds bounds,
                            store.Bounds({topic.name, p}));
    records += bounds.log_end - bounds.log_start;
  }
  return records;
}

Json ToJson(const TopicInfo& topic) {
  Json settings = Json::object();
  for (const TopicSetting& setting : TopicSettingTable()) {
    if (const auto text = setting.Get(topic.settings)) {
      settings[std::string(setting.name)] = SettingToJson(setting.kind, *text);
    }
  }
  return {{"name", topic.name},
          {"id", topic.id.ToString()},
          {"settings", std::move(settings)}};
}

Status List(const Invocation& invocation, const ListOptions& options) {
  return WithView(invocation, [&](TieredStorage& store) -> Status {
    STRATA_ASSIGN_OR_RETURN(const std::vector<TopicInfo> topics,
                            store.ListTopics());
    Table table({{"TOPIC", Table::Align::kLeft},
                 {"PARTITIONS"},
                 {"RECORDS"},
                 {"ID", Table::Align::kLeft}});
    Json list = Json::array();
    std::string names;
    for (const TopicInfo& topic : topics) {
      names += topic.name + "\n";
      STRATA_ASSIGN_OR_RETURN(const uint64_t records, RecordsOf(store, topic));
      table.AddRow({topic.name, std::to_string(topic.partitions),
                    FormatCount(records), topic.id.ToString()});
      list.push_back(ToJson(topic));
      list.back()["partitions"] = topic.partitions;
      list.back()["records"] = records;
    }
    switch (options.output) {
      case ListFormat::kJson: return PrintJson({{"topics", std::move(list)}});
      case ListFormat::kNames: return Print(names);
      case ListFormat::kTable: break;
    }
    return Print(table.Render());
  });
}

// A partition as it is described.
struct Described {
  uint32_t partition = 0;
  LogBounds bounds;
  size_t hot = 0;  // segments with a copy there
  size_t warm = 0;
  size_t cold = 0;
};

Result<std::vector<Described>> DescribeAll(TieredStorage& store,
                                           const TopicInfo& topic) {
  std::vector<Described> all;
  for (uint32_t p = 0; p < topic.partitions; ++p) {
    Described one;
    one.partition = p;
    STRATA_ASSIGN_OR_RETURN(one.bounds, store.Bounds({topic.name, p}));
    STRATA_ASSIGN_OR_RETURN(const std::vector<SegmentMetadata> segments,
                            store.Segments({topic.name, p}));
    for (const SegmentMetadata& segment : segments) {
      one.hot += segment.in_hot;
      one.warm += segment.in_warm;
      one.cold += segment.in_cold;
    }
    all.push_back(one);
  }
  return all;
}

std::string ToText(const TopicInfo& topic, const std::vector<Described>& all) {
  std::string text =
      fmt::format("topic {}, id {}, {}\n", topic.name, topic.id.ToString(),
                  Counted(topic.partitions, "partition"));
  for (const TopicSetting& setting : TopicSettingTable()) {
    if (const auto value = setting.Get(topic.settings)) {
      text += fmt::format("{} = {}\n", setting.name, *value);
    }
  }
  Table table({{"PARTITION"},
               {"START"},
               {"COLD END"},
               {"DURABLE END"},
               {"END"},
               {"EPOCH"},
               {"HOT SEGMENTS"},
               {"WARM"},
               {"COLD"}});
  const auto cell = [](auto number) { return fmt::to_string(number); };
  for (const Described& one : all) {
    const LogBounds& bounds = one.bounds;
    table.AddRow({cell(one.partition), cell(bounds.log_start.value()),
                  cell(bounds.cold_end.value()),
                  cell(bounds.durable_end.value()),
                  cell(bounds.log_end.value()), cell(bounds.epoch.value()),
                  cell(one.hot), cell(one.warm), cell(one.cold)});
  }
  return text + table.Render();
}

Json ToJson(const TopicInfo& topic, const std::vector<Described>& all) {
  Json document = ToJson(topic);
  Json& partitions = document["partitions"] = Json::array();
  for (const Described& one : all) {
    partitions.push_back({{"partition", one.partition},
                          {"log_start", one.bounds.log_start.value()},
                          {"cold_end", one.bounds.cold_end.value()},
                          {"durable_end", one.bounds.durable_end.value()},
                          {"visible_end", one.bounds.visible_end.value()},
                          {"log_end", one.bounds.log_end.value()},
                          {"epoch", one.bounds.epoch.value()},
                          {"hot_segments", one.hot},
                          {"warm_segments", one.warm},
                          {"cold_segments", one.cold}});
  }
  return document;
}

Status Describe(const Invocation& invocation, const DescribeOptions& options) {
  return WithView(invocation, [&](TieredStorage& store) -> Status {
    STRATA_ASSIGN_OR_RETURN(const TopicInfo topic,
                            store.DescribeTopic(options.topic));
    STRATA_ASSIGN_OR_RETURN(const std::vector<Described> all,
                            DescribeAll(store, topic));
    return options.output == OutputFormat::kJson ? PrintJson(ToJson(topic, all))
                                                 : Print(ToText(topic, all));
  });
}

Status Trim(const Invocation& invocation, const TrimOptions& options) {
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(
            const std::vector<TopicPartition> partitions,
            PartitionsOf(store, options.topic, options.partition));
        const TopicPartition& partition = partitions.front();
        STRATA_RETURN_IF_ERROR(store.Trim(partition, Offset(options.before)));
        STRATA_ASSIGN_OR_RETURN(const LogBounds bounds,
                                store.Bounds(partition));
        PrintNote(fmt::format("{} begins at offset {}", partition.ToString(),
                              bounds.log_start.value()));
        return Status::Ok();
      });
}

// --config NAME=VALUE, in place of the file of that name, which can stand in
// front of the command.
void AddTopicSettings(CLI::App& command, TopicSettings& settings) {
  command.remove_option(command.get_option("--config"));
  std::string names;
  for (const TopicSetting& setting : TopicSettingTable()) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", setting.name);
  }
  const auto set = [&settings, names](const std::vector<std::string>& given) {
    for (const std::string& one : given) {
      const auto [name, text] = SplitSetting("--config", one);
      const TopicSetting* const setting = FindTopicSetting(name);
      if (setting == nullptr) {
        throw CLI::ValidationError(
            "--config", fmt::format("there is no topic setting '{}', expected "
                                    "one of {}",
                                    name, names));
      }
      const Status status = setting->Set(settings, text);
      if (!status.ok()) {
        throw CLI::ValidationError("--config", status.message());
      }
    }
  };
  command
      .add_option_function<std::vector<std::string>>(
          "--config", set, "A setting of the topic, may be repeated: " + names)
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

}  // namespace

void AddTopics(CLI::App& app, Invocation& invocation) {
  CLI::App& topics =
      *app.add_subcommand("topics", "Create, list, delete, describe topics");
  topics.require_subcommand(1);
  AddStoreOptions(topics, invocation);

  CLI::App& create =
      AddCommand(topics, invocation, "create", "Create a topic",
                 "  strata topics create orders --partitions 8\n"
                 "  strata topics create events --config hot_max_age=5m "
                 "--config target_segment_bytes=16MiB\n\n"
                 "A file of settings stands in front: strata "
                 "--config FILE topics create orders.");
  CreateOptions& c = OnRun(create, invocation, Create);
  AddTopic(create, c.topic);
  create.add_option("--partitions", c.partitions, "How many (default 1)")
      ->type_name("N")
      ->check(InRange(1u, 100'000u));
  AddTopicSettings(create, c.settings);

  CLI::App& list = AddCommand(topics, invocation, "list", "All topics",
                              "  strata topics list --data-dir /srv/log\n"
                              "  strata topics list -o names | grep ^tmp");
  AddChoice(list, "--output,-o", OnRun(list, invocation, List).output,
            {{"table", ListFormat::kTable},
             {"json", ListFormat::kJson},
             {"names", ListFormat::kNames}},
            "For people (default) or for programs; names: one a line");

  CLI::App& remove = AddCommand(topics, invocation, "delete",
                                "Delete a topic and all that is in it",
                                "  strata topics delete orders");
  AddTopic(remove, OnRun(remove, invocation, Delete).topic);

  CLI::App& describe =
      AddCommand(topics, invocation, "describe",
                 "Bounds, epoch and segments of each partition",
                 "  strata topics describe orders\n  strata topics describe "
                 "orders -o json");
  DescribeOptions& d = OnRun(describe, invocation, Describe);
  AddTopic(describe, d.topic);
  AddOutput(describe, d.output);
}

void AddTrim(CLI::App& app, Invocation& invocation) {
  CLI::App& trim = AddCommand(
      app, invocation, "trim",
      "Remove the records of a partition below an offset, in every tier",
      "  strata trim orders --partition 0 --before 120000");
  TrimOptions& o = OnRun(trim, invocation, Trim);
  AddTopic(trim, o.topic);
  trim.add_option("--partition,-p", o.partition, "The partition to trim")
      ->type_name("N")
      ->required();
  trim.add_option("--before", o.before,
                  "The first record to keep; space is freed in the background")
      ->type_name("OFFSET")
      ->required();
}

}  // namespace strata::cli
