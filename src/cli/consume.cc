// consume: records to standard output.
#include <fmt/format.h>

#include <charconv>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/store.h"

namespace strata::cli {
namespace {

struct ConsumeOptions {
  std::string topic;
  std::optional<uint32_t> partition;
  std::string from = "earliest";
  std::optional<uint64_t> count;
  std::string format = "%v\\n";
};

// "earliest", "latest" or an offset.
struct From {
  enum class Kind { kEarliest, kLatest, kOffset } kind = Kind::kEarliest;
  Offset offset{};
};

Result<From> ParseFrom(const std::string& text) {
  if (text == "earliest") return From{};
  if (text == "latest") return From{From::Kind::kLatest};
  uint64_t offset = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, offset);
  if (error != std::errc() || stopped != end) {
    return Status(
        StatusCode::kInvalidArgument,
        fmt::format("'{}': expected earliest, latest or an offset", text));
  }
  return From{From::Kind::kOffset, Offset(offset)};
}

// Prints the records of partitions until they end, or enough are printed, or
// nobody reads them any more. Owned by one thread.
class Consumer {
 public:
  Consumer(TieredStorage& store, Format format, std::optional<uint64_t> count)
      : store_(store), format_(std::move(format)), left_(count) {}

  Status Copy(const TopicPartition& partition, Offset start) {
    Offset next = start;
    while (!Done()) {
      STRATA_RETURN_IF_ERROR(CheckInterrupt());
      STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                              store_.Read(partition, next));
      if (batches.empty()) return Status::Ok();
      for (const BatchView& batch : batches) {
        STRATA_RETURN_IF_ERROR(Print(partition, batch, start)
                                   .WithContext(fmt::format(
                                       "{} at offset {}", partition.ToString(),
                                       batch.base_offset().value())));
      }
      next = batches.back().end_offset();
    }
    return Status::Ok();
  }

  Status Flush() { return out_.Flush(); }

 private:
  bool Done() const { return out_.closed() || left_ == 0u; }

  // Of the batch, the records from `start` on.
  Status Print(const TopicPartition& partition, const BatchView& batch,
               Offset start) {
    if (batch.end_offset() <= start) return Status::Ok();
    text_.clear();
    STRATA_RETURN_IF_ERROR(
        ForEachRecord(batch, [&](const Record& record) -> Status {
          const bool before =
              batch.format() == BatchFormat::kKafkaV2 && record.offset < start;
          if (before || left_ == 0u) return Status::Ok();
          format_.Print(partition.topic, partition.partition, record, text_);
          if (left_) --*left_;
          return Status::Ok();
        }));
    return out_.Write(text_);
  }

  TieredStorage& store_;
  const Format format_;
  std::optional<uint64_t> left_;  // to be printed; absent: all
  Output out_;
  std::string text_;  // of one batch, printed once all of it proved readable
};

// Where to begin; nothing when the partition has nothing there.
Result<std::optional<Offset>> StartOf(TieredStorage& store,
                                      const TopicPartition& partition,
                                      const From& from, bool asked_for) {
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store.Bounds(partition));
  switch (from.kind) {
    case From::Kind::kEarliest: return std::optional(bounds.log_start);
    case From::Kind::kLatest: return std::optional(bounds.visible_end);
    case From::Kind::kOffset: break;
  }
  // Of several partitions some may end below the offset.
  if (from.offset > bounds.log_end && !asked_for) {
    return std::optional<Offset>();
  }
  return std::optional(from.offset);
}

Status Consume(const Invocation& invocation, const ConsumeOptions& options) {
  STRATA_ASSIGN_OR_RETURN(Format format, Format::Parse(options.format));
  STRATA_ASSIGN_OR_RETURN(const From from, ParseFrom(options.from));
  return WithStore(
      invocation, IfMissing::kFail, [&](TieredStorage& store) -> Status {
        STRATA_ASSIGN_OR_RETURN(
            const std::vector<TopicPartition> partitions,
            PartitionsOf(store, options.topic, options.partition));
        Consumer consumer(store, std::move(format), options.count);
        Status status;
        for (const TopicPartition& partition : partitions) {
          STRATA_ASSIGN_OR_RETURN(
              const std::optional<Offset> start,
              StartOf(store, partition, from, options.partition.has_value()));
          if (start) status = consumer.Copy(partition, *start);
          if (!status.ok()) break;
        }
        // What is good is printed in front of an error.
        Status flushed = consumer.Flush();
        return status.ok() ? flushed : status;
      });
}

}  // namespace

void AddConsume(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "consume",
      "Print records, partition after partition, up to the end of the log",
      "  strata consume logs\n"
      "  strata consume logs --partition 0 --from 1000 --count 10\n"
      "  strata consume users -f '%t/%p@%o %k=%v\\n'\n\n"
      "Format: %t topic, %p partition, %o offset, %T timestamp, %k key, "
      "%v value,\n%h headers, %K %S bytes of key and value, %% \\n \\r \\t "
      "\\0 \\\\ \\xHH");
  ConsumeOptions& o = OnRun(command, invocation, Consume);
  AddTopic(command, o.topic);
  AddPartition(command, o.partition, "Only this one (default all)");
  command
      .add_option("--from,-o", o.from,
                  "The first record to print (default earliest)")
      ->type_name("earliest|latest|OFFSET")
      ->check(
          Checked([](const std::string& s) { return ParseFrom(s).status(); }));
  command.add_option("--count,-c", o.count, "Stop after so many records")
      ->type_name("N");
  command
      .add_option("--format,-f", o.format,
                  "How to print a record (default '%v\\n')")
      ->type_name("FORMAT")
      ->check(Checked(
          [](const std::string& s) { return Format::Parse(s).status(); }));
}

}  // namespace strata::cli
