// The keys of what Strata keeps in a bucket; docs/formats/cold-layout.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/segment_entry.h"

namespace strata {

// "store/topics": which topics there are.
std::string TopicsKey();

// "topics/<topic id>/<partition>/root". The topic's name is no part of it: who
// has the id finds the root.
std::string RootKey(const PartitionId& partition);

// The topic whose key it is; nullopt when it is of none.
std::optional<TopicId> TopicInKey(std::string_view key);

// The partition whose key it is; nullopt when it is of none.
std::optional<PartitionId> PartitionInKey(std::string_view key);

// "topics/": all keys of all topics begin with it.
std::string AllTopicsPrefix();

// "topics/<topic id>/": all keys of the topic, and no others, begin with it.
std::string TopicPrefix(const TopicId& topic);

// "topics/<topic id>/<partition>/": all keys of the partition, and no others,
// begin with it.
std::string PartitionPrefix(const PartitionId& partition);

// The offsets that a key of a segment or a group begins with, behind its
// partition's prefix; nullopt for any other.
std::optional<OffsetRange> OffsetsInKey(std::string_view name);

// The number of the claim that such a key says; nullopt for any other.
std::optional<uint64_t> ClaimInKey(std::string_view name);

// A key for one attempt to write a group of that level and those offsets by the
// owner of that claim; `nonce` as for SegmentKey.
std::string GroupKey(const PartitionId& partition, uint32_t level,
                     OffsetRange offsets, uint64_t claim, uint64_t nonce);

// A key for one attempt to upload `entry` by the owner of that claim; `nonce`
// is random, so that no two attempts share one. `topic_label` is for who looks
// into the bucket: it is shortened, and what does not fit a key becomes '_'.
std::string SegmentKey(const SegmentEntry& entry, uint64_t claim,
                       std::string_view topic_label, uint64_t nonce);

// "store/notes/<id of the store>/": which partitions others have taken over
// from that store.
std::string NotesPrefix(const TopicId& store);
// The note about one partition: an empty object behind that prefix.
std::string NoteKey(const TopicId& store, const PartitionId& partition);
// Which one `key` is about; nullopt when it is no note of that store.
std::optional<PartitionId> PartitionOfNote(const TopicId& store,
                                           std::string_view key);

}  // namespace strata
