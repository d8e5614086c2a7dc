#include "cli/demo_history.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "cli/batch_writer.h"
#include "cli/store.h"

namespace strata::cli {
namespace {

// Takes "<name>=<value>" and the blank behind it from the front of `text`.
std::optional<std::string_view> TakeField(std::string_view& text,
                                          std::string_view name) {
  if (!text.starts_with(name) || text.size() == name.size() ||
      text[name.size()] != '=') {
    return std::nullopt;
  }
  text.remove_prefix(name.size() + 1);
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

template <typename Number>
bool ParseNumber(std::string_view text, Number& number) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

template <typename Number>
bool TakeNumber(std::string_view& text, std::string_view name, Number& number) {
  const auto value = TakeField(text, name);
  return value && ParseNumber(*value, number);
}

bool TakeOffset(std::string_view& text, std::string_view name, Offset& offset) {
  uint64_t number = 0;
  if (!TakeNumber(text, name, number)) return false;
  offset = Offset(number);
  return true;
}

bool TakeText(std::string_view& text, std::string_view name,
              std::string& value) {
  const auto field = TakeField(text, name);
  if (field) value = *field;
  return field.has_value();
}

bool TakeId(std::string_view& text, TopicId& id) {
  const auto field = TakeField(text, "id");
  const auto parsed = field ? TopicId::FromString(*field) : std::nullopt;
  if (parsed) id = *parsed;
  return parsed.has_value();
}

}  // namespace

std::string ToText(const DemoShare& share) {
  return fmt::format(
      "run={} topic={} partition={} id={} base={} end={} records={} bytes={} "
      "sha256={}",
      share.run, share.partition.topic, share.partition.partition,
      share.topic_id.ToString(), share.offsets.base.value(),
      share.offsets.end.value(), share.records, share.bytes, share.sha256);
}

Result<DemoShare> ParseShare(std::string_view text) {
  DemoShare share;
  std::string_view rest = text;
  if (TakeNumber(rest, "run", share.run) &&
      TakeText(rest, "topic", share.partition.topic) &&
      TakeNumber(rest, "partition", share.partition.partition) &&
      TakeId(rest, share.topic_id) &&
      TakeOffset(rest, "base", share.offsets.base) &&
      TakeOffset(rest, "end", share.offsets.end) &&
      TakeNumber(rest, "records", share.records) &&
      TakeNumber(rest, "bytes", share.bytes) &&
      TakeText(rest, "sha256", share.sha256) && rest.empty()) {
    return share;
  }
  return Status(
      StatusCode::kDataLoss,
      fmt::format("{}: not a share of a run: '{}'", kRunsTopic, text));
}

Result<std::vector<DemoShare>> LoadHistory(TieredStorage& store) {
  std::vector<DemoShare> shares;
  const std::string topic(kRunsTopic);
  const Status described = store.DescribeTopic(topic).status();
  if (described.code() == StatusCode::kNotFound) return shares;
  STRATA_RETURN_IF_ERROR(described);
  STRATA_ASSIGN_OR_RETURN(const LogBounds bounds, store.Bounds({topic, 0}));
  for (Offset next = bounds.log_start; next < bounds.visible_end;) {
    STRATA_ASSIGN_OR_RETURN(const std::vector<BatchView> batches,
                            store.Read({topic, 0}, next));
    if (batches.empty()) break;
    for (const BatchView& batch : batches) {
      STRATA_RETURN_IF_ERROR(
          ForEachRecord(batch, [&](const Record& record) -> Status {
            STRATA_ASSIGN_OR_RETURN(
                DemoShare share,
                ParseShare(AsText(record.value.value_or(ByteSpan()))));
            shares.push_back(std::move(share));
            return Status::Ok();
          }));
    }
    next = batches.back().end_offset();
  }
  return shares;
}

Status SaveToHistory(TieredStorage& store,
                     const std::vector<DemoShare>& shares) {
  const std::string topic(kRunsTopic);
  const Status created = store.CreateTopic(topic, 1).status();
  if (created.code() != StatusCode::kAlreadyExists) {
    STRATA_RETURN_IF_ERROR(created);
  }
  STRATA_ASSIGN_OR_RETURN(Partition partition, store.GetPartition({topic, 0}));
  BatchWriter writer(store, std::move(partition), {});
  for (const DemoShare& share : shares) {
    STRATA_RETURN_IF_ERROR(writer.Add(std::nullopt, ToText(share)));
  }
  return writer.Flush();
}

}  // namespace strata::cli
