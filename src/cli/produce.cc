// produce: lines into records.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/crc32c.h"
#include "cli/batch_writer.h"
#include "cli/commands.h"
#include "cli/effective_config.h"
#include "cli/interrupt.h"
#include "cli/line_reader.h"
#include "cli/progress.h"
#include "cli/store.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace strata::cli {
namespace {

// How long a record that was read waits for others to be appended with it.
constexpr std::chrono::milliseconds kMaxAge{100};
// Leaves room in max_batch_bytes for the batch around the longest line.
constexpr uint64_t kMaxLineBytes = 4 * kMiB;

struct ProduceOptions {
  std::string topic;
  std::string file;
  std::optional<uint32_t> partition;
  std::optional<uint32_t> partitions;
  std::string key_separator;
  uint32_t batch_records = 100;
  Durability durability = Durability::kDisk;
};

// The topic, created if it is not there yet and the configuration allows it.
Result<TopicInfo> FindOrCreate(TieredStorage& store,
                               const TieredStorageConfig& config,
                               const ProduceOptions& options) {
  Result<TopicInfo> found = store.DescribeTopic(options.topic);
  if (found.status().code() == StatusCode::kNotFound &&
      config.auto_create_topics) {
    const uint32_t usual =
        std::max(config.default_partitions, options.partition.value_or(0) + 1);
    return store.CreateTopic(options.topic, options.partitions.value_or(usual));
  }
  if (found.ok() && options.partitions &&
      *options.partitions != found->partitions) {
    return Status(
        StatusCode::kConflict,
        fmt::format("topic '{}' exists with {} partitions, not {}",
                    options.topic, found->partitions, *options.partitions));
  }
  return found;
}

// Deals records to partitions: to the one asked for, else by key, else in
// turns, a batch each. Owned by one thread.
class Dealer {
 public:
  using Clock = LineReader::Clock;

  Dealer(TieredStorage& store, const ProduceOptions& options,
         uint32_t partitions)
      : store_(store), options_(options), partitions_(partitions) {}

  Status Add(std::string_view line) {
    std::optional<std::string_view> key;
    const size_t at = options_.key_separator.empty()
                          ? std::string_view::npos
                          : line.find(options_.key_separator);
    if (at != std::string_view::npos) {
      key = line.substr(0, at);
      line.remove_prefix(at + options_.key_separator.size());
    }
    STRATA_ASSIGN_OR_RETURN(BatchWriter* const writer, WriterFor(key));
    STRATA_RETURN_IF_ERROR(writer->Add(key, line));
    if (!key && writer->at_batch_end()) turn_ = (turn_ + 1) % partitions_;
    if (!waiting_) due_ = Clock::now() + kMaxAge;
    waiting_ = true;
    return Status::Ok();
  }

  // When what has been added longest ago is to be appended.
  Clock::time_point due() const {
    return waiting_ ? due_ : Clock::now() + kMaxAge;
  }

  Status Flush() {
    waiting_ = false;
    for (auto& [partition, writer] : writers_) {
      STRATA_RETURN_IF_ERROR(writer.Flush());
    }
    return Status::Ok();
  }

  Status AppendFull() {
    waiting_ = false;
    for (auto& [partition, writer] : writers_) {
      STRATA_RETURN_IF_ERROR(writer.AppendFull());
    }
    return Status::Ok();
  }

  const std::map<uint32_t, BatchWriter>& writers() const { return writers_; }

 private:
  Result<BatchWriter*> WriterFor(const std::optional<std::string_view>& key) {
    uint32_t partition = turn_;
    if (key) partition = Crc32c(AsBytes(*key)) % partitions_;
    if (options_.partition) partition = *options_.partition;
    const auto found = writers_.find(partition);
    if (found != writers_.end()) return &found->second;
    STRATA_ASSIGN_OR_RETURN(Partition handle,
                            store_.GetPartition({options_.topic, partition}));
    const auto [added, _] = writers_.try_emplace(
        partition, store_, std::move(handle),
        BatchWriter::Options{.batch_records = options_.batch_records,
                             .durability = options_.durability});
    return &added->second;
  }

  TieredStorage& store_;
  const ProduceOptions& options_;
  const uint32_t partitions_;
  uint32_t turn_ = 0;
  bool waiting_ = false;  // something was added that may not be appended yet
  Clock::time_point due_;
  std::map<uint32_t, BatchWriter> writers_;
};

// Reads until the end of the input or an interrupt. What has been read is
// appended also when the input turns out bad. What comes in a stream is
// appended when it is due, whatever keeps coming; of a file, whose lines are
// as safe as the file, batches are filled first.
Status CopyLines(LineReader& input, Dealer& dealer) {
  Progress progress("producing", input.size_bytes());
  while (!Interrupted()) {
    STRATA_ASSIGN_OR_RETURN(const LineReader::Event event,
                            input.Next(dealer.due()));
    if (event.kind == LineReader::Event::Kind::kEnd) break;
    if (event.kind == LineReader::Event::Kind::kLine) {
      STRATA_RETURN_IF_ERROR(dealer.Add(event.line));
      if (input.size_bytes() > 0) progress.Update(input.bytes_read());
    }
    if (LineReader::Clock::now() < dealer.due()) continue;
    STRATA_RETURN_IF_ERROR(input.is_file() ? dealer.AppendFull()
                                           : dealer.Flush());
  }
  return Status::Ok();
}

void Tell(const Dealer& dealer) {
  for (const auto& [partition, writer] : dealer.writers()) {
    if (writer.batches() == 0) continue;
    PrintNote(fmt::format(
        "{}: {} in {} at offsets [{}, {})", writer.partition().ToString(),
        Counted(writer.records(), "record"),
        Counted(writer.batches(), "batch", "es"), writer.offsets().base.value(),
        writer.offsets().end.value()));
  }
}

Status Produce(const Invocation& invocation, const ProduceOptions& options) {
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<LineReader> input,
                          LineReader::Open(options.file, kMaxLineBytes));
  STRATA_ASSIGN_OR_RETURN(const EffectiveConfig effective, Resolve(invocation));
  return WithStore(
      effective.config, IfMissing::kCreate,
      [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(const TopicInfo topic,
                                FindOrCreate(store, effective.config, options));
        STRATA_RETURN_IF_ERROR(
            PartitionsOf(store, options.topic, options.partition).status());
        Dealer dealer(store, options, topic.partitions);
        Status copied = CopyLines(*input, dealer);
        Status flushed = dealer.Flush();
        Tell(dealer);
        return copied.ok() ? flushed : copied;
      });
}

}  // namespace

void AddProduce(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "produce",
      "Append the lines of a file or of standard input as records",
      "  strata produce logs /var/log/dpkg.log\n"
      "  journalctl -f | strata produce journal --durability memory\n"
      "  printf 'a:1\\nb:2\\n' | strata produce users --key-separator : "
      "--partitions 4");
  ProduceOptions& o = OnRun(command, invocation, Produce);
  AddTopic(command, o.topic);
  command.add_option("FILE", o.file, "Standard input if absent or -")
      ->type_name("");
  AddPartition(command, o.partition,
               "Append there; by default by key, without keys in turns");
  command
      .add_option(
          "--partitions", o.partitions,
          "How many to create the topic with (default default_partitions)")
      ->type_name("N")
      ->check(InRange(1u, 100'000u));
  command
      .add_option("--key-separator,-K", o.key_separator,
                  "What stands before it in a line is the record's key")
      ->type_name("TEXT");
  command
      .add_option("--batch-records", o.batch_records,
                  "Records of one batch at most (default 100)")
      ->type_name("N")
      ->check(InRange(1u, 1'000'000u));
  AddChoice(
      command, "--durability", o.durability,
      {{"memory", Durability::kMemory}, {"disk", Durability::kDisk}},
      "What an appended record survives: memory: as long as this process is "
      "not killed; disk (default): loss of power");
}

}  // namespace strata::cli
