// segments: what a topic is made of, and where it lies.
#include <fmt/format.h>

#include "cli/batch_writer.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/view.h"

namespace strata::cli {
namespace {

struct SegmentsOptions {
  std::string topic;
  std::optional<uint32_t> partition;
  OutputFormat output = OutputFormat::kTable;
};

// "hw-": copies in hot and warm, none in cold.
std::string TierLetters(const SegmentMetadata& segment) {
  return {segment.in_hot ? 'h' : '-', segment.in_warm ? 'w' : '-',
          segment.in_cold ? 'c' : '-'};
}

std::string ToText(const std::vector<SegmentMetadata>& segments) {
  Table table({{"PARTITION"},
               {"BASE"},
               {"END"},
               {"RECORDS"},
               {"BATCHES"},
               {"BYTES"},
               {"TIERS"},
               {"STATE", Table::Align::kLeft},
               {"AGE"},
               {"READS"}});
  const auto now = static_cast<uint64_t>(NowMs() / 1000);
  for (const SegmentMetadata& s : segments) {
    table.AddRow(
        {fmt::to_string(s.partition), fmt::to_string(s.base_offset.value()),
         fmt::to_string(s.end_offset.value()), FormatCount(s.total_records),
         FormatCount(s.batch_count), FormatBytes(s.size_bytes), TierLetters(s),
         s.sealed ? "sealed" : "tail", FormatAge(s.AgeSeconds(now)),
         FormatCount(s.access_count)});
  }
  return table.Render();
}

Json ToJson(const std::vector<SegmentMetadata>& segments) {
  Json list = Json::array();
  for (const SegmentMetadata& s : segments) {
    list.push_back({{"topic", s.topic},
                    {"partition", s.partition},
                    {"base_offset", s.base_offset.value()},
                    {"end_offset", s.end_offset.value()},
                    {"total_records", s.total_records},
                    {"dead_records", s.dead_records},
                    {"batch_count", s.batch_count},
                    {"size_bytes", s.size_bytes},
                    {"in_hot", s.in_hot},
                    {"in_warm", s.in_warm},
                    {"in_cold", s.in_cold},
                    {"sealed", s.sealed},
                    {"created_at", s.created_at},
                    {"last_accessed", s.last_accessed},
                    {"access_count", s.access_count},
                    {"max_timestamp", s.max_timestamp}});
  }
  return {{"segments", std::move(list)}};
}

Status List(const Invocation& invocation, const SegmentsOptions& options) {
  return WithView(invocation, [&](TieredStorage& store) -> Status {
    STRATA_ASSIGN_OR_RETURN(
        const std::vector<TopicPartition> partitions,
        PartitionsOf(store, options.topic, options.partition));
    std::vector<SegmentMetadata> all;
    for (const TopicPartition& partition : partitions) {
      STRATA_ASSIGN_OR_RETURN(const std::vector<SegmentMetadata> segments,
                              store.Segments(partition));
      all.insert(all.end(), segments.begin(), segments.end());
    }
    return options.output == OutputFormat::kJson ? PrintJson(ToJson(all))
                                                 : Print(ToText(all));
  });
}

}  // namespace

void AddSegments(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "segments",
      "The segments of a topic: offsets, size, tiers, age, reads",
      "  strata segments logs\n"
      "  strata segments logs --partition 0 -o json\n\n"
      "TIERS tells where copies lie: h hot, w warm, c cold. The tail is not "
      "flushed yet;\nits bytes are in the write-ahead log.");
  SegmentsOptions& o = OnRun(command, invocation, List);
  AddTopic(command, o.topic);
  AddPartition(command, o.partition, "Only this one (default all)");
  AddOutput(command, o.output);
}

}  // namespace strata::cli
