// The header in front of every object of metadata in a bucket;
// docs/formats/cold-layout.md. Pure codec.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "strata/status.h"

namespace strata {

// Kinds of metadata objects.
struct ColdObjectKind {
  std::string_view name;  // in messages: "cold root"
  std::string_view magic;
  uint32_t version = 0;
};

inline constexpr size_t kColdObjectHeaderBytes = 24;

// `body` behind its header.
std::string SealColdObject(const ColdObjectKind& kind, std::string_view body);

// The body, within `bytes`. kDataLoss, naming position, expected and found, for
// damaged bytes and for another kind; kUnsupported for another version.
Result<ByteSpan> OpenColdObject(const ColdObjectKind& kind, ByteSpan bytes);

// kDataLoss, "<kind>: <message>".
Status DamagedColdObject(const ColdObjectKind& kind, std::string_view message);

}  // namespace strata
