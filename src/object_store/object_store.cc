#include "strata/object_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace strata {
namespace {

constexpr size_t kMaxKeyBytes = 1024;

// Bytes of the UTF-8 sequence that begins `text`; 0 when it is not one
// (overlong forms and surrogates included).
size_t SequenceBytes(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t n) {
    if (text.size() < n) return false;
    for (size_t i = 1; i < n; ++i) {
      if ((at(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return continues(2) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool good = continues(3) && (first != 0xe0 || at(1) >= 0xa0) &&
                      (first != 0xed || at(1) < 0xa0);
    return good ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool good = continues(4) && (first != 0xf0 || at(1) >= 0x90) &&
                      (first != 0xf4 || at(1) < 0x90);
    return good ? 4 : 0;
  }
  return 0;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t n = SequenceBytes(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

// What is wrong with `key`, or nullptr.
const char* Fault(std::string_view key) {
  if (key.empty()) return "empty";
  if (key.size() > kMaxKeyBytes) return "longer than 1024 bytes";
  if (key.find('\0') != key.npos) return "has a NUL";
  if (key.find('\\') != key.npos) return "has a backslash";
  if (!IsUtf8(key)) return "not UTF-8";
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view part = key.substr(begin, end - begin);
    if (part.empty()) return "has an empty part";
    if (part == "." || part == "..") return "has a part '.' or '..'";
    begin = end + 1;
  }
  return nullptr;
}

// Immutable.
class StringSource final : public ObjectSource {
 public:
  explicit StringSource(std::string bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }
  Status ReadAt(uint64_t position, std::span<std::byte> out) override {
    STRATA_CHECK(position <= bytes_.size() &&
                 out.size() <= bytes_.size() - position);
    if (!out.empty()) {
      std::memcpy(out.data(), bytes_.data() + position, out.size());
    }
    return Status::Ok();
  }
  std::optional<ByteSpan> Contiguous() override { return AsBytes(bytes_); }

 private:
  const std::string bytes_;
};

}  // namespace

std::shared_ptr<ObjectSource> MakeStringSource(std::string bytes) {
  return std::make_shared<StringSource>(std::move(bytes));
}

Status ValidateObjectKey(std::string_view key) {
  const char* fault = Fault(key);
  if (fault == nullptr) return Status::Ok();
  std::string shown(key.substr(0, 64));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return {StatusCode::kInvalidArgument,
          fmt::format("object key '{}': {}", shown, fault)};
}

}  // namespace strata
