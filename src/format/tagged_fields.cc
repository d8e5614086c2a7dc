#include "format/tagged_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace strata {

std::string EncodeTaggedFields(const TaggedFields& fields) {
  ByteWriter out;
  for (const auto& [tag, bytes] : fields) {
    out.Varint(tag);
    out.LengthPrefixed(bytes);
  }
  return out.Take();
}

Result<TaggedFields> DecodeTaggedFields(ByteSpan bytes,
                                        std::span<const uint64_t> known) {
  TaggedFields fields;
  ByteReader in(bytes);
  while (in.remaining() > 0) {
    const size_t at = in.position();
    const std::optional<uint64_t> tag = in.Varint();
    const std::optional<std::string_view> value =
        tag ? in.LengthPrefixed() : std::nullopt;
    if (!value) {
      return Status(StatusCode::kDataLoss,
                    fmt::format("tagged field at {} cut short", at));
    }
    if (!fields.empty() && fields.rbegin()->first >= *tag) {
      return Status(StatusCode::kDataLoss,
                    fmt::format("tagged field {} at {} not above {}", *tag, at,
                                fields.rbegin()->first));
    }
    if (fields.size() == 65536) {
      return Status(StatusCode::kDataLoss, "more than 65536 tagged fields");
    }
    if (IsRequiredTag(*tag) && std::ranges::find(known, *tag) == known.end()) {
      return Status(
          StatusCode::kUnsupported,
          fmt::format("required feature {} needs a newer version", *tag));
    }
    fields.emplace(*tag, *value);
  }
  return fields;
}

}  // namespace strata
