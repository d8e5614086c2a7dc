// consume: records to standard output.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/store.h"
#include "cli/terminal.h"
#include "cli/view.h"

namespace strata::cli {
namespace {

struct ConsumeOptions {
  std::string topic;
  std::optional<uint32_t> partition;
  std::string from = "earliest";
  std::optional<uint64_t> count;
  std::string format = "%v\\n";
  bool follow = false;
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

// How often --follow looks for more. What a writer has synced is seen within
// its checkpoint_interval anyway.
constexpr std::chrono::milliseconds kFollowInterval{200};

// A partition, as far as it is printed.
struct Position {
  TopicPartition partition;
  Offset next;  // what is below it is printed, or was not asked for
  // Of the log that `next` was found in; absent until the log reaches it.
  std::optional<Epoch> epoch{};
};

// Prints the records of a topic until they end, or enough are printed, or
// nobody reads them any more. Views may end under it, when the writer drops
// what they show: the next one is read from where the last one ended. Owned by
// one thread.
class Consumer {
 public:
  Consumer(Viewer& viewer, const ConsumeOptions& options, From from,
           Format format)
      : viewer_(viewer),
        options_(options),
        from_(from),
        format_(std::move(format)),
        left_(options.count) {}

  Status Run() {
    Status status = CopyAll();
    // What is good is printed in front of an error.
    Status flushed = out_.Flush();
    return status.ok() ? flushed : status;
  }

 private:
  bool Done() const { return out_.closed() || left_ == 0u; }

  Status CopyAll() {
    // How many views in a row showed nothing new and then turned out stale.
    int stale = 0;
    while (true) {
      const auto begin = std::chrono::steady_clock::now();
      const uint64_t printed = batches_;
      const Status status = CopyView();
      if (batches_ > printed) stale = 0;
      const bool again =
          MayBeStale(status) && ++stale < kMaxLooks && viewer_.Changed();
      if (again) continue;
      // With --follow there is time to wait for a writer that is too fast.
      if (!status.ok() && !(options_.follow && !positions_.empty() &&
                            status.code() == StatusCode::kUnavailable)) {
        return status;
      }
      if (Done() || !options_.follow) return Status::Ok();
      STRATA_RETURN_IF_ERROR(
          WaitForMore(std::chrono::steady_clock::now() - begin));
    }
  }

  // Prints what a new view has from the positions on.
  Status CopyView() {
    STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<TieredStorage> view,
                            viewer_.Look());
    STRATA_RETURN_IF_ERROR(positions_.empty() ? Begin(*view) : GoOn(*view));
    for (Position& position : positions_) {
      STRATA_RETURN_IF_ERROR(Copy(*view, position));
    }
    return Status::Ok();
  }

  // Sleeps at least as long as the last look took: a log that is long to open
  // must not keep a machine busy.
  Status WaitForMore(std::chrono::nanoseconds looked) {
    STRATA_RETURN_IF_ERROR(out_.Flush());
    const auto pause =
        std::chrono::duration_cast<std::chrono::milliseconds>(looked);
    do {
      STRATA_RETURN_IF_ERROR(CheckInterrupt());
      out_.Rest(std::max(kFollowInterval, pause));
    } while (!Done() && !viewer_.Changed());
    return CheckInterrupt();
  }

  Status Begin(TieredStorage& view) {
    STRATA_ASSIGN_OR_RETURN(const TopicInfo topic,
                            view.DescribeTopic(options_.topic));
    topic_ = topic.id;
    STRATA_ASSIGN_OR_RETURN(
        const std::vector<TopicPartition> partitions,
        PartitionsOf(view, options_.topic, options_.partition));
    std::vector<Position> begin;
    for (const TopicPartition& partition : partitions) {
      STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, view.Bounds(partition));
      Offset next = bounds.log_start;
      if (from_.kind == From::Kind::kLatest) next = bounds.visible_end;
      if (from_.kind == From::Kind::kOffset) {
        next = from_.offset;
        // Of several partitions some may end below the offset.
        if (next < bounds.log_start ||
            (next > bounds.log_end && options_.partition)) {
          return view.Read(partition, next).status();
        }
      }
      begin.push_back({partition, next});
    }
    positions_ = std::move(begin);
    return Status::Ok();
  }

  Status GoOn(TieredStorage& view) {
    Result<TopicInfo> topic = view.DescribeTopic(options_.topic);
    if (topic.status().code() == StatusCode::kNotFound ||
        (topic.ok() && topic->id != topic_)) {
      return {StatusCode::kNotFound,
              fmt::format("topic '{}' was deleted", options_.topic)};
    }
    STRATA_RETURN_IF_ERROR(topic.status());
    for (Position& position : positions_) {
      STRATA_RETURN_IF_ERROR(Adjust(view, position));
    }
    return Status::Ok();
  }

  // To what was trimmed or cut since the last view. An end below `next` alone
  // says nothing: a writer that has just opened shows less for a moment.
  static Status Adjust(TieredStorage& view, Position& position) {
    const TopicPartition& partition = position.partition;
    STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, view.Bounds(partition));
    const auto move = [&](Offset to, std::string_view why) {
      PrintError(fmt::format("warning: {}: {} at offset {}; going on there",
                             partition.ToString(), why, to.value()));
      position.next = to;
    };
    if (position.epoch && *position.epoch < bounds.epoch) {
      const auto end = view.EpochEndOffset(partition, *position.epoch);
      if (end.ok() && end->end < position.next) {
        move(end->end, "the log was cut");
      }
      position.epoch = bounds.epoch;
    }
    if (position.next < bounds.log_start) {
      move(bounds.log_start, "the log was trimmed and begins");
    }
    return Status::Ok();
  }

  Status Copy(TieredStorage& view, Position& position) {
    STRATA_ASSIGN_OR_RETURN(const LogBounds bounds,
                            view.Bounds(position.partition));
    if (position.next > bounds.log_end) return Status::Ok();
    if (!position.epoch) position.epoch = bounds.epoch;
    while (!Done()) {
      STRATA_RETURN_IF_ERROR(CheckInterrupt());
      STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                              view.Read(position.partition, position.next));
      if (batches.empty()) return Status::Ok();
      for (const BatchView& batch : batches) {
        STRATA_RETURN_IF_ERROR(
            Print(position, batch)
                .WithContext(fmt::format("{} at offset {}",
                                         position.partition.ToString(),
                                         batch.base_offset().value())));
        position.next = batch.end_offset();
        ++batches_;
      }
    }
    return Status::Ok();
  }

  // Of the batch, the records from `next` on: all of them or, when one proves
  // unreadable, none.
  Status Print(const Position& position, const BatchView& batch) {
    text_.clear();
    std::optional<uint64_t> left = left_;
    STRATA_RETURN_IF_ERROR(
        ForEachRecord(batch, [&](const Record& record) -> Status {
          const bool before = batch.format() == BatchFormat::kKafkaV2 &&
                              record.offset < position.next;
          if (before || left == 0u) return Status::Ok();
          format_.Print(position.partition.topic, position.partition.partition,
                        record, text_);
          if (left) --*left;
          return Status::Ok();
        }));
    left_ = left;
    return out_.Write(text_);
  }

  Viewer& viewer_;
  const ConsumeOptions& options_;
  const From from_;
  const Format format_;
  std::optional<uint64_t> left_;  // to be printed; absent: all
  TopicId topic_{};
  std::vector<Position> positions_;  // empty before the first view
  uint64_t batches_ = 0;             // printed
  Output out_;
  std::string text_;  // of one batch
};

Status Consume(const Invocation& invocation, const ConsumeOptions& options) {
  STRATA_ASSIGN_OR_RETURN(Format format, Format::Parse(options.format));
  STRATA_ASSIGN_OR_RETURN(const From from, ParseFrom(options.from));
  CatchInterrupts(OnInterrupt::kStop);
  STRATA_ASSIGN_OR_RETURN(Viewer viewer, Viewer::Make(invocation));
  return Consumer(viewer, options, from, std::move(format)).Run();
}

}  // namespace

void AddConsume(CLI::App& app, Invocation& invocation) {
  CLI::App& command = AddCommand(
      app, invocation, "consume",
      "Print records, partition after partition, up to the end of the log",
      "  strata consume logs\n"
      "  strata consume logs --follow --from latest\n"
      "  strata consume logs --partition 0 --from 1000 --count 10\n"
      "  strata consume users -f '%t/%p@%o %k=%v\\n'\n\n"
      "Format: %t topic, %p partition, %o offset, %T timestamp, %k key, "
      "%v value,\n%h headers, %K %S bytes of key and value, %% \\n \\r \\t "
      "\\0 \\\\ \\xHH\n\n"
      "Also while another process writes the store; what that one has synced "
      "is "
      "seen\nwithin its checkpoint_interval.");
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
  command.add_flag("--follow", o.follow,
                   "At the end wait for more, until interrupted; the topic "
                   "has to exist. Where it is trimmed meanwhile, go on at its "
                   "new start with a warning");
  command
      .add_option("--format,-f", o.format,
                  "How to print a record (default '%v\\n')")
      ->type_name("FORMAT")
      ->check(Checked(
          [](const std::string& s) { return Format::Parse(s).status(); }));
}

}  // namespace strata::cli
