#include "format/cold_topics_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "format/cold_group_format.h"
#include "format/field_io.h"
#include "strata/tiered_storage.h"

namespace strata {
namespace {

Status Invalid(const TopicCreated& topic, std::string_view what) {
  return {StatusCode::kInvalidArgument,
          fmt::format("topic {} {}", topic.id.ToString(), what)};
}

}  // namespace

const TopicCreated* ColdTopics::Find(const TopicId& id) const {
  const auto found = std::ranges::find(topics, id, &TopicCreated::id);
  return found == topics.end() ? nullptr : &*found;
}

Status ValidateColdTopics(const ColdTopics& topics) {
  std::set<TopicId> ids;
  if (topics.generation == 0) {
    return {StatusCode::kInvalidArgument, "generation 0"};
  }
  for (const TopicCreated& topic : topics.topics) {
    if (!ids.insert(topic.id).second) return Invalid(topic, "is there twice");
    if (topic.partitions == 0) return Invalid(topic, "has no partition");
    const Status name = ValidateTopicName(topic.name);
    if (!name.ok()) return Invalid(topic, name.message());
  }
  return Status::Ok();
}

std::string EncodeColdTopics(const ColdTopics& topics) {
  ByteWriter out;
  out.Varint(topics.generation);
  out.Varint(topics.topics.size());
  for (const TopicCreated& topic : topics.topics) {
    out.LengthPrefixed(EncodeTopic(topic));
  }
  out.Bytes(AsBytes(EncodeTaggedFields(topics.extra)));
  return SealColdObject(kColdTopicsKind, out.Take());
}

Result<ColdTopics> DecodeColdTopics(ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body,
                          OpenColdObject(kColdTopicsKind, bytes));
  FieldReader in(body);
  ColdTopics topics;
  topics.generation = in.U64();
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    const std::string text = in.Text();
    if (!in.good()) break;
    Result<TopicCreated> topic = DecodeTopic(AsBytes(text));
    if (topic.status().code() == StatusCode::kUnsupported) {
      return topic.status().WithContext(kColdTopicsKind.name);
    }
    if (!topic.ok()) {
      return DamagedColdObject(kColdTopicsKind, topic.status().message());
    }
    topics.topics.push_back(*std::move(topic));
  }
  STRATA_ASSIGN_OR_RETURN(topics.extra, ReadExtra(kColdTopicsKind, in));
  const Status valid = ValidateColdTopics(topics);
  if (!valid.ok()) return DamagedColdObject(kColdTopicsKind, valid.message());
  return topics;
}

}  // namespace strata
