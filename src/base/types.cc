#include "strata/types.h"

namespace strata {

std::ostream& operator<<(std::ostream& out, Offset offset) {
  return out << offset.value();
}

std::ostream& operator<<(std::ostream& out, OffsetRange range) {
  return out << '[' << range.base << ", " << range.end << ')';
}

std::ostream& operator<<(std::ostream& out, Epoch epoch) {
  return out << epoch.value();
}

std::string TopicId::ToString() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  for (const std::byte b : bytes) {
    text.push_back(kHex[static_cast<size_t>(b >> 4)]);
    text.push_back(kHex[static_cast<size_t>(b & std::byte{15})]);
  }
  return text;
}

std::optional<TopicId> TopicId::FromString(std::string_view hex) {
  TopicId id;
  if (hex.size() != 32) return std::nullopt;
  for (size_t i = 0; i < 32; ++i) {
    const char c = hex[i];
    unsigned digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else {
      return std::nullopt;
    }
    id.bytes[i / 2] = (id.bytes[i / 2] << 4) | static_cast<std::byte>(digit);
  }
  return id;
}

std::ostream& operator<<(std::ostream& out, const TopicId& id) {
  return out << id.ToString();
}

std::string TopicPartition::ToString() const {
  return topic + "/" + std::to_string(partition);
}

std::string_view Name(StorageTier tier) {
  switch (tier) {
    case StorageTier::kHot: return "hot";
    case StorageTier::kWarm: return "warm";
    case StorageTier::kCold: return "cold";
  }
  return "invalid";
}

std::optional<StorageTier> Demote(StorageTier tier) {
  if (tier == StorageTier::kHot) return StorageTier::kWarm;
  if (tier == StorageTier::kWarm) return StorageTier::kCold;
  return std::nullopt;
}

std::optional<StorageTier> Promote(StorageTier tier) {
  if (tier == StorageTier::kCold) return StorageTier::kWarm;
  if (tier == StorageTier::kWarm) return StorageTier::kHot;
  return std::nullopt;
}

std::ostream& operator<<(std::ostream& out, StorageTier tier) {
  return out << Name(tier);
}

std::string_view Name(Durability durability) {
  switch (durability) {
    case Durability::kMemory: return "memory";
    case Durability::kDisk: return "disk";
  }
  return "invalid";
}

std::string_view Name(BatchFormat format) {
  switch (format) {
    case BatchFormat::kOpaque: return "opaque";
    case BatchFormat::kKafkaV2: return "kafka-v2";
    case BatchFormat::kSeedMessages: return "seed-messages";
  }
  return "invalid";
}

}  // namespace strata
