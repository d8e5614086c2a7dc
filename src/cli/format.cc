#include "cli/format.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace strata::cli {
namespace {

constexpr std::string_view kFields = "tpoTkvshKS";

Status Refused(size_t position, std::string_view found,
               std::string_view expected) {
  return {StatusCode::kInvalidArgument,
          fmt::format("format: '{}' at position {}: expected {}", found,
                      position, expected)};
}

// The byte that the escape at the start of `text` stands for, and how long it
// is; length 0 when it is none.
struct Escape {
  char byte = 0;
  size_t length = 0;
};

Escape ParseEscape(std::string_view text) {
  if (text.size() < 2) return {};
  switch (text[1]) {
    case 'n': return {'\n', 2};
    case 'r': return {'\r', 2};
    case 't': return {'\t', 2};
    case '0': return {'\0', 2};
    case '\\': return {'\\', 2};
    case 'x': break;
    default: return {};
  }
  const std::string_view digits = text.substr(2, 2);
  uint8_t byte = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
  if (digits.size() != 2 || error != std::errc() ||
      end != digits.data() + digits.size()) {
    return {};
  }
  return {static_cast<char>(byte), 4};
}

int64_t LengthOf(const std::optional<ByteSpan>& bytes) {
  return bytes ? static_cast<int64_t>(bytes->size()) : -1;
}

void PrintBytes(const std::optional<ByteSpan>& bytes, std::string& out) {
  if (bytes) out += AsText(*bytes);
}

void PrintHeaders(const std::vector<RecordHeader>& headers, std::string& out) {
  for (size_t i = 0; i < headers.size(); ++i) {
    if (i > 0) out += ',';
    out += headers[i].key;
    out += '=';
    out += headers[i].value ? AsText(*headers[i].value) : "NULL";
  }
}

template <typename Number>
void PrintNumber(Number number, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}", number);
}

}  // namespace

void Format::AddText(char c) {
  if (parts_.empty() || parts_.back().field != 0) parts_.emplace_back();
  parts_.back().text += c;
}

Result<Format> Format::Parse(std::string_view text) {
  Format format;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\') {
      const Escape escape = ParseEscape(text.substr(i));
      if (escape.length == 0) {
        return Refused(i, text.substr(i, 2), "\\n \\r \\t \\0 \\\\ or \\xHH");
      }
      format.AddText(escape.byte);
      i += escape.length;
    } else if (text[i] == '%') {
      const char field = i + 1 < text.size() ? text[i + 1] : '\0';
      if (field == '%') {
        format.AddText('%');
      } else if (kFields.find(field) != std::string_view::npos) {
        format.parts_.push_back({.field = field});
      } else {
        return Refused(i, text.substr(i, 2),
                       "%t %p %o %T %k %v %s %h %K %S or %%");
      }
      i += 2;
    } else {
      format.AddText(text[i++]);
    }
  }
  return format;
}

void Format::Print(std::string_view topic, uint32_t partition,
                   const Record& record, std::string& out) const {
  for (const Part& part : parts_) {
    switch (part.field) {
      case 't': out += topic; break;
      case 'p': PrintNumber(partition, out); break;
      case 'o': PrintNumber(record.offset.value(), out); break;
      case 'T': PrintNumber(record.timestamp, out); break;
      case 'k': PrintBytes(record.key, out); break;
      case 'v':
      case 's': PrintBytes(record.value, out); break;
      case 'h': PrintHeaders(record.headers, out); break;
      case 'K': PrintNumber(LengthOf(record.key), out); break;
      case 'S': PrintNumber(LengthOf(record.value), out); break;
      default: out += part.text;
    }
  }
}

}  // namespace strata::cli
