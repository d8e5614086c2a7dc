// The small values that every other header speaks in: offsets, epochs,
// partitions, tiers, durability, time.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

namespace strata {

using ByteSpan = std::span<const std::byte>;

// The bytes of `text`; valid as long as `text` is.
inline ByteSpan AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// The text over `bytes`; valid as long as `bytes` are.
inline std::string_view AsText(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The place of a record in its partition. Offsets count records from 0,
// ascend, and are never reused for other bytes under the same epoch.
class Offset {
 public:
  constexpr Offset() = default;
  constexpr explicit Offset(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(Offset, Offset) = default;
  friend constexpr Offset operator+(Offset a, uint64_t n) {
    return Offset(a.value_ + n);
  }
  // Records between two offsets; `a` must not be below `b`.
  friend constexpr uint64_t operator-(Offset a, Offset b) {
    return a.value_ - b.value_;
  }

 private:
  uint64_t value_ = 0;
};
std::ostream& operator<<(std::ostream& out, Offset offset);

// No log ends above it: Kafka's offsets are signed.
inline constexpr Offset kMaxLogEnd{INT64_MAX};

// [base, end): half-open, as every range in Strata.
struct OffsetRange {
  Offset base;
  Offset end;

  constexpr bool empty() const { return base >= end; }
  constexpr uint64_t size() const { return empty() ? 0 : end - base; }
  constexpr bool Contains(Offset o) const { return base <= o && o < end; }
  friend constexpr bool operator==(OffsetRange, OffsetRange) = default;
};
std::ostream& operator<<(std::ostream& out, OffsetRange range);

// Kafka's leader epoch: the number of a partition's history. It grows when the
// tail of the log may have been cut (unclean open, truncation, restore), so a
// reader that remembers {epoch, offset} notices the cut.
class Epoch {
 public:
  constexpr Epoch() = default;
  constexpr explicit Epoch(uint32_t value) : value_(value) {}
  constexpr uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(Epoch, Epoch) = default;

 private:
  uint32_t value_ = 0;
};
std::ostream& operator<<(std::ostream& out, Epoch epoch);

// The greatest that a caller may begin an epoch with. Kafka's are signed 32-bit
// numbers; the other half is left for epochs that the store begins itself.
inline constexpr Epoch kMaxGivenEpoch{uint32_t{1} << 30};

// A topic's identity: 16 random bytes, never reused. A topic that is deleted
// and created again under the same name is another topic.
struct TopicId {
  std::array<std::byte, 16> bytes{};

  // 32 lower-case hex digits.
  std::string ToString() const;
  static std::optional<TopicId> FromString(std::string_view hex);
  friend auto operator<=>(const TopicId&, const TopicId&) = default;
};
std::ostream& operator<<(std::ostream& out, const TopicId& id);

// A partition of a topic as callers name it.
struct TopicPartition {
  std::string topic;
  uint32_t partition = 0;

  // "topic/3".
  std::string ToString() const;
  friend auto operator<=>(const TopicPartition&,
                          const TopicPartition&) = default;
};

// Where a copy of data lies. Ordered from hottest to coldest.
enum class StorageTier : uint8_t {
  kHot = 0,   // memory and the write-ahead log; microseconds
  kWarm = 1,  // sealed local files, memory-mapped; microseconds to milliseconds
  kCold = 2,  // object store; milliseconds to seconds
};

// "hot", "warm", "cold".
std::string_view Name(StorageTier tier);
// The next colder tier; none below cold.
std::optional<StorageTier> Demote(StorageTier tier);
// The next hotter tier; none above hot.
std::optional<StorageTier> Promote(StorageTier tier);
std::ostream& operator<<(std::ostream& out, StorageTier tier);

// What an acknowledged append survives.
enum class Durability : uint8_t {
  kMemory = 0,  // the process stays alive
  kDisk = 1,    // loss of power: the WAL is synced before the acknowledgement
};
std::string_view Name(Durability durability);

// What the bytes of a batch are. The engine stores any bytes; record-aware
// features (compaction, time index by record) need to know the format.
enum class BatchFormat : uint8_t {
  kOpaque = 0,        // bytes that only the caller understands
  kKafkaV2 = 1,       // Kafka RecordBatch, magic 2
  kSeedMessages = 2,  // u32 length + postcard messages, as the Rust design
};
std::string_view Name(BatchFormat format);

// Milliseconds since 1970-01-01 UTC, as record timestamps have them.
using TimestampMs = int64_t;
inline constexpr TimestampMs kNoTimestamp = -1;

}  // namespace strata

template <>
struct std::hash<strata::TopicId> {
  size_t operator()(const strata::TopicId& id) const noexcept {
    // The bytes are random already: the first eight are as good as any hash.
    uint64_t h = 0;
    for (size_t i = 0; i < 8; ++i) {
      h = (h << 8) | static_cast<uint64_t>(id.bytes[i]);
    }
    return static_cast<size_t>(h);
  }
};
