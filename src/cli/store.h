// How commands open the store and walk over it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "format/record_batch.h"
#include "strata/tiered_storage.h"

namespace strata::cli {

enum class IfMissing { kFail, kCreate };

// Where a store's warnings and errors go: to standard error.
std::shared_ptr<LogSink> MakeTerminalLog();

// Tells there what was lost.
void TellDamage(const RecoveryReport::Damage& damage);

// kNotFound, in words for people, when there is no such directory.
Status CheckDirectory(const TieredStorageConfig& config);

// Opens the store to change it, with warnings on standard error, and tells
// there what was lost if anything was. An absent store is created only if
// command and configuration allow it.
Result<std::unique_ptr<TieredStorage>> OpenStore(TieredStorageConfig config,
                                                 IfMissing if_missing);

// Opens the store, has `work` done on it and shuts it down, also after a
// failure. The first failure is the answer.
Status WithStore(TieredStorageConfig config, IfMissing if_missing,
                 const std::function<Status(TieredStorage&)>& work);
// With the configuration in force.
Status WithStore(const Invocation& invocation, IfMissing if_missing,
                 const std::function<Status(TieredStorage&)>& work);

// The partition asked for, or all of the topic; kNotFound naming what the
// topic has.
Result<std::vector<TopicPartition>> PartitionsOf(
    TieredStorage& store, const std::string& topic,
    std::optional<uint32_t> partition = std::nullopt);

// The partitions of all topics, by name and number.
Result<std::vector<TopicPartition>> AllPartitions(TieredStorage& store);

// Calls `record` for each record of `batch`; an opaque batch is one record at
// its base offset. What the records refer to is valid during the call. Stops
// at the first failure. kDataLoss when the batch turned out unreadable.
Status ForEachRecord(const BatchView& batch,
                     const std::function<Status(const Record&)>& record);

}  // namespace strata::cli
