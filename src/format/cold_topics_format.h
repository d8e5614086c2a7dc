// The one object of a bucket that says which topics there are, how many
// partitions they have and how they are set. docs/formats/cold-layout.md is the
// specification. Pure codec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/cold_object.h"
#include "format/magic.h"
#include "format/manifest_format.h"
#include "format/tagged_fields.h"
#include "strata/status.h"

namespace strata {

struct ColdTopics {
  // Grows by one with each commit; 0: there is no such object yet.
  uint64_t generation = 0;
  // In the order in which they came. Ids are unique; names need not be: stores
  // that share a bucket may have called different topics the same.
  std::vector<TopicCreated> topics{};
  // Optional tagged fields of a newer version, kept and passed on.
  TaggedFields extra{};

  // The topic, or null.
  const TopicCreated* Find(const TopicId& id) const;
  friend bool operator==(const ColdTopics&, const ColdTopics&) = default;
};

// Larger ones are refused.
inline constexpr uint64_t kMaxColdTopicsBytes = 64ull << 20;
inline constexpr ColdObjectKind kColdTopicsKind{"topics", kColdTopicsMagic, 1};

// kInvalidArgument, naming the rule broken, unless `topics` can be encoded:
// ids are unique, names are such as topics have, and there is a partition.
Status ValidateColdTopics(const ColdTopics& topics);

// `topics` are valid.
std::string EncodeColdTopics(const ColdTopics& topics);

// kDataLoss for damaged bytes; kUnsupported for a newer version or a required
// tagged field. The caller adds the key.
Result<ColdTopics> DecodeColdTopics(ByteSpan bytes);

}  // namespace strata
