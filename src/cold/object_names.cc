#include "cold/object_names.h"

#include <fmt/format.h>

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

std::string PartitionPrefix(const PartitionId& partition) {
  return "topics/" + partition.ToString() + "/";
}

}  // namespace

std::string TopicPrefix(const TopicId& topic) {
  return "topics/" + topic.ToString() + "/";
}

std::string RootKey(const PartitionId& partition) {
  return PartitionPrefix(partition) + "root";
}

std::string SegmentKey(const SegmentEntry& entry, std::string_view topic_label,
                       uint64_t nonce) {
  return fmt::format(
      "{}{:020}-{:020}-{}-{}-{:016x}-{}.seg", PartitionPrefix(entry.partition),
      entry.offsets.base.value(), entry.offsets.end.value(),
      entry.last_epoch.value(), entry.id, nonce, Label(topic_label));
}

}  // namespace strata
