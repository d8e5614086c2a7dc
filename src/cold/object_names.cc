#include "cold/object_names.h"

#include <fmt/format.h>

#include <charconv>

namespace strata {
namespace {

constexpr size_t kMaxLabelBytes = 64;

bool FitsKey(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string Label(std::string_view topic) {
  std::string label(topic.substr(0, kMaxLabelBytes));
  for (char& c : label) {
    if (!FitsKey(c)) c = '_';
  }
  return label;
}

}  // namespace

std::string PartitionPrefix(const PartitionId& partition) {
  return "topics/" + partition.ToString() + "/";
}

std::string TopicsKey() { return "store/topics"; }

std::string AllTopicsPrefix() { return "topics/"; }

std::optional<TopicId> TopicInKey(std::string_view key) {
  constexpr size_t kIdDigits = 32;
  const std::string prefix = AllTopicsPrefix();
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  if (key.size() <= kIdDigits || key[kIdDigits] != '/') return std::nullopt;
  return TopicId::FromString(key.substr(0, kIdDigits));
}

std::optional<PartitionId> PartitionInKey(std::string_view key) {
  const auto topic = TopicInKey(key);
  if (!topic) return std::nullopt;
  key.remove_prefix(TopicPrefix(*topic).size());
  uint32_t partition = 0;
  const auto [end, error] =
      std::from_chars(key.data(), key.data() + key.size(), partition);
  if (error != std::errc() || end == key.data() + key.size() || *end != '/') {
    return std::nullopt;
  }
  return PartitionId{*topic, partition};
}

std::string TopicPrefix(const TopicId& topic) {
  return "topics/" + topic.ToString() + "/";
}

std::string RootKey(const PartitionId& partition) {
  return PartitionPrefix(partition) + "root";
}

std::optional<OffsetRange> OffsetsInKey(std::string_view name) {
  // "<20 digits>-<20 digits>-"
  constexpr size_t kDigits = 20;
  if (name.size() < 2 * (kDigits + 1) || name[kDigits] != '-' ||
      name[2 * kDigits + 1] != '-') {
    return std::nullopt;
  }
  const auto number = [&](size_t at) -> std::optional<Offset> {
    uint64_t value = 0;
    const char* begin = name.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + kDigits, value);
    if (error != std::errc() || end != begin + kDigits) return std::nullopt;
    return Offset(value);
  };
  const auto base = number(0);
  const auto end = number(kDigits + 1);
  if (!base || !end) return std::nullopt;
  return OffsetRange{*base, *end};
}

std::optional<uint64_t> ClaimInKey(std::string_view name) {
  if (!OffsetsInKey(name)) return std::nullopt;
  name.remove_prefix(2 * (20 + 1));
  uint64_t claim = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), claim);
  if (error != std::errc() || end == name.data() + name.size() || *end != '-') {
    return std::nullopt;
  }
  return claim;
}

std::string GroupKey(const PartitionId& partition, uint32_t level,
                     OffsetRange offsets, uint64_t claim, uint64_t nonce) {
  return fmt::format("{}{:020}-{:020}-{}-level{}-{:016x}.group",
                     PartitionPrefix(partition), offsets.base.value(),
                     offsets.end.value(), claim, level, nonce);
}

std::string SegmentKey(const SegmentEntry& entry, uint64_t claim,
                       std::string_view topic_label, uint64_t nonce) {
  return fmt::format("{}{:020}-{:020}-{}-{}-{:016x}-{}.seg",
                     PartitionPrefix(entry.partition),
                     entry.offsets.base.value(), entry.offsets.end.value(),
                     claim, entry.id, nonce, Label(topic_label));
}

std::string NotesPrefix(const TopicId& store) {
  return "store/notes/" + store.ToString() + "/";
}

std::string NoteKey(const TopicId& store, const PartitionId& partition) {
  return fmt::format("{}{}-{}", NotesPrefix(store), partition.topic.ToString(),
                     partition.partition);
}

std::optional<PartitionId> PartitionOfNote(const TopicId& store,
                                           std::string_view key) {
  const std::string prefix = NotesPrefix(store);
  if (!key.starts_with(prefix)) return std::nullopt;
  key.remove_prefix(prefix.size());
  constexpr size_t kIdDigits = 32;
  if (key.size() < kIdDigits + 2 || key[kIdDigits] != '-') return std::nullopt;
  const auto topic = TopicId::FromString(key.substr(0, kIdDigits));
  const std::string_view digits = key.substr(kIdDigits + 1);
  uint32_t partition = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), partition);
  if (!topic || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return PartitionId{*topic, partition};
}

}  // namespace strata
