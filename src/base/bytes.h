// Fixed-width integers and varints on byte buffers: ByteWriter appends to a
// std::string, ByteReader walks over a span and never reads past its end.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "strata/types.h"

namespace strata {

static_assert(std::endian::native == std::endian::little ||
              std::endian::native == std::endian::big);

template <std::integral T>
constexpr T SwapBytes(T value) {
  using U = std::make_unsigned_t<T>;
  U in = static_cast<U>(value);
  U out = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    out = static_cast<U>((out << 8) | (in & 0xff));
    in = static_cast<U>(in >> 8);
  }
  return static_cast<T>(out);
}

// The little-endian T at `p`, which needs no alignment.
template <std::integral T>
T LoadLittle(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) {
    value = SwapBytes(value);
  }
  return value;
}

template <std::integral T>
void StoreLittle(std::byte* p, T value) {
  if constexpr (std::endian::native == std::endian::big) {
    value = SwapBytes(value);
  }
  std::memcpy(p, &value, sizeof(T));
}

// The big-endian T at `p`: Kafka's byte order.
template <std::integral T>
T LoadBig(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  if constexpr (std::endian::native == std::endian::little) {
    value = SwapBytes(value);
  }
  return value;
}

template <std::integral T>
void StoreBig(std::byte* p, T value) {
  if constexpr (std::endian::native == std::endian::little) {
    value = SwapBytes(value);
  }
  std::memcpy(p, &value, sizeof(T));
}

constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

// Zigzag maps small negative numbers to small unsigned ones.
constexpr uint64_t ZigZag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
constexpr int64_t UnZigZag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

// Appends little-endian values. Thread-compatible.
class ByteWriter {
 public:
  template <std::integral T>
  void Fixed(T value) {
    std::byte raw[sizeof(T)];
    StoreLittle(raw, value);
    Bytes(raw);
  }
  // LEB128: seven bits a byte, least significant first, at most ten bytes.
  void Varint(uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<char>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<char>(value));
  }
  void Bytes(ByteSpan bytes) { out_.append(AsText(bytes)); }
  // Varint length, then the bytes.
  void LengthPrefixed(std::string_view text) {
    Varint(text.size());
    out_.append(text);
  }

  size_t size() const { return out_.size(); }
  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what ByteWriter wrote. A read past the end, or a varint that is not
// minimal-length-bounded (over ten bytes), answers nullopt and leaves the
// position where it was. Thread-compatible; borrows the span.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  template <std::integral T>
  std::optional<T> Fixed() {
    if (remaining() < sizeof(T)) return std::nullopt;
    T value = LoadLittle<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }
  std::optional<uint64_t> Varint();
  std::optional<ByteSpan> Bytes(uint64_t n) {
    if (remaining() < n) return std::nullopt;
    ByteSpan out = bytes_.subspan(position_, n);
    position_ += n;
    return out;
  }
  std::optional<std::string_view> LengthPrefixed();

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

 private:
  ByteSpan bytes_;
  size_t position_ = 0;
};

}  // namespace strata
