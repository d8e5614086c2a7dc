// What the runs of the demo have stored, kept in a topic of the store itself:
// each record is one run's share of one partition, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "strata/tiered_storage.h"

namespace strata::cli {

inline constexpr std::string_view kRunsTopic = "strata-demo.runs";

// Records that one run has put into one partition.
struct DemoShare {
  uint64_t run = 0;
  TopicPartition partition;
  // A topic deleted since then and created again is another.
  TopicId topic_id;
  OffsetRange offsets{};
  uint64_t records = 0;
  uint64_t bytes = 0;
  std::string sha256;  // RecordDigest::Hex

  friend bool operator==(const DemoShare&, const DemoShare&) = default;
};

// "run=1 topic=words partition=0 id=... base=0 end=200 records=200 ..."
std::string ToText(const DemoShare& share);
// kDataLoss when `text` is not what ToText writes.
Result<DemoShare> ParseShare(std::string_view text);

// All shares of earlier runs, by run; none when there was no run.
Result<std::vector<DemoShare>> LoadHistory(TieredStorage& store);
// Adds the shares of a run, at once and durable.
Status SaveToHistory(TieredStorage& store,
                     const std::vector<DemoShare>& shares);

}  // namespace strata::cli
