#include "cli/store.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "cli/effective_config.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

// Thread-safe.
class TerminalLogSink : public LogSink {
 public:
  void Log(LogLevel level, std::string_view message) override {
    if (level == LogLevel::kError) PrintError(message);
    if (level == LogLevel::kWarning) {
      PrintError(fmt::format("warning: {}", message));
    }
  }
};

}  // namespace

std::shared_ptr<LogSink> MakeTerminalLog() {
  return std::make_shared<TerminalLogSink>();
}

void TellDamage(const RecoveryReport::Damage& damage) {
  PrintError(fmt::format(
      "damage: {}: {}",
      damage.partition.empty() ? "some partition" : damage.partition,
      damage.detail));
}

Status CheckDirectory(const TieredStorageConfig& config) {
  std::error_code error;
  if (std::filesystem::exists(config.data_dir, error) || error) {
    return Status::Ok();  // opening it tells the rest
  }
  return {StatusCode::kNotFound,
          fmt::format("there is no store in {}; --data-dir names another place",
                      config.data_dir.native())};
}

Result<std::unique_ptr<TieredStorage>> OpenStore(TieredStorageConfig config,
                                                 IfMissing if_missing) {
  config.create_if_missing &= if_missing == IfMissing::kCreate;
  if (!config.create_if_missing) STRATA_RETURN_IF_ERROR(CheckDirectory(config));
  STRATA_ASSIGN_OR_RETURN(
      std::unique_ptr<TieredStorage> store,
      TieredStorage::Open(std::move(config),
                          {.cold_store = nullptr, .log = MakeTerminalLog()}));
  for (const RecoveryReport::Damage& damage : store->recovery().damage) {
    TellDamage(damage);
  }
  return store;
}

Status WithStore(TieredStorageConfig config, IfMissing if_missing,
                 const std::function<Status(TieredStorage&)>& work) {
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<TieredStorage> store,
                          OpenStore(std::move(config), if_missing));
  Status status = work(*store);
  Status closed = store->Shutdown();
  if (Interrupted() && closed.ok()) {
    PrintNote("interrupted; all that was acknowledged is kept");
  }
  return status.ok() ? closed : status;
}

Status WithStore(const Invocation& invocation, IfMissing if_missing,
                 const std::function<Status(TieredStorage&)>& work) {
  STRATA_ASSIGN_OR_RETURN(EffectiveConfig effective, Resolve(invocation));
  return WithStore(std::move(effective.config), if_missing, work);
}

Result<std::vector<TopicPartition>> PartitionsOf(
    TieredStorage& store, const std::string& topic,
    std::optional<uint32_t> partition) {
  STRATA_ASSIGN_OR_RETURN(const TopicInfo info, store.DescribeTopic(topic));
  if (partition && *partition >= info.partitions) {
    return Status(StatusCode::kNotFound,
                  fmt::format("topic '{}' has no partition {}: it has {}",
                              topic, *partition, info.partitions));
  }
  if (partition) return std::vector<TopicPartition>{{topic, *partition}};
  std::vector<TopicPartition> all;
  for (uint32_t p = 0; p < info.partitions; ++p) all.push_back({topic, p});
  return all;
}

Result<std::vector<TopicPartition>> AllPartitions(TieredStorage& store) {
  STRATA_ASSIGN_OR_RETURN(const std::vector<TopicInfo> topics,
                          store.ListTopics());
  std::vector<TopicPartition> all;
  for (const TopicInfo& topic : topics) {
    for (uint32_t p = 0; p < topic.partitions; ++p) {
      all.push_back({topic.name, p});
    }
  }
  return all;
}

Status ForEachRecord(const BatchView& batch,
                     const std::function<Status(const Record&)>& record) {
  Record current;
  if (batch.format() != BatchFormat::kKafkaV2) {
    current.offset = batch.base_offset();
    current.timestamp = batch.max_timestamp();
    current.value = batch.bytes();
    STRATA_RETURN_IF_ERROR(record(current));
    return batch.status();
  }
  STRATA_ASSIGN_OR_RETURN(RecordReader reader,
                          RecordReader::Open(batch.bytes()));
  for (;;) {
    STRATA_ASSIGN_OR_RETURN(const bool more, reader.Next(current));
    if (!more) return batch.status();
    STRATA_RETURN_IF_ERROR(record(current));
  }
}

}  // namespace strata::cli
