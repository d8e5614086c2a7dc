// The keys of what Strata keeps in a bucket; docs/formats/cold-layout.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "format/segment_entry.h"

namespace strata {

// "topics/<topic id>/<partition>/root". The topic's name is no part of it: who
// has the id finds the root.
std::string RootKey(const PartitionId& partition);

// "topics/<topic id>/": all keys of the topic, and no others, begin with it.
std::string TopicPrefix(const TopicId& topic);

// A key for one attempt to upload `entry`; `nonce` is random, so that no two
// attempts share one. `topic_label` is for who looks into the bucket: it is
// shortened, and what does not fit a key becomes '_'.
std::string SegmentKey(const SegmentEntry& entry, std::string_view topic_label,
                       uint64_t nonce);

}  // namespace strata
