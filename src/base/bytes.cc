#include "base/bytes.h"

namespace strata {

std::optional<uint64_t> ByteReader::Varint() {
  uint64_t value = 0;
  for (size_t i = 0; i < 10; ++i) {
    if (position_ + i >= bytes_.size()) return std::nullopt;
    const auto byte = static_cast<uint64_t>(bytes_[position_ + i]);
    // The tenth byte carries one bit only.
    if (i == 9 && byte > 1) return std::nullopt;
    value |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      position_ += i + 1;
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::string_view> ByteReader::LengthPrefixed() {
  const size_t start = position_;
  const std::optional<uint64_t> length = Varint();
  if (length) {
    if (const std::optional<ByteSpan> bytes = Bytes(*length)) {
      return AsText(*bytes);
    }
  }
  position_ = start;
  return std::nullopt;
}

}  // namespace strata
