// Tagged fields: the room for later features that every format carries.
//
// A block is a sequence of {varint tag, varint length, bytes}, ascending by
// tag. Odd tags are required: a reader that does not know one refuses the
// file and names the feature. Even tags are optional: a reader that does not
// know one keeps its bytes and passes it on.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Decoded block: tag to bytes. Thread-compatible value.
using TaggedFields = std::map<uint64_t, std::string>;

inline constexpr bool IsRequiredTag(uint64_t tag) { return (tag & 1) != 0; }

std::string EncodeTaggedFields(const TaggedFields& fields);

// kDataLoss for malformed, unordered or repeated tags; kUnsupported when a
// required tag is not among `known`, naming it. At most 64 Ki fields.
Result<TaggedFields> DecodeTaggedFields(ByteSpan bytes,
                                        std::span<const uint64_t> known = {});

}  // namespace strata
