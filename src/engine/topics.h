// Topics: who is called what. Maps names and ids to partitions.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "engine/partition_state.h"

namespace strata::engine {

// Immutable once made, but for what its partitions guard themselves.
struct Topic {
  TopicInfo info;
  std::vector<PartitionPtr> partitions;
};
using TopicPtr = std::shared_ptr<const Topic>;

// Makes a topic whose partitions are empty.
TopicPtr MakeTopic(TopicInfo info, Executor& executor);

// Thread-safe.
class Topics {
 public:
  // kAlreadyExists for a known name.
  Status Add(TopicPtr topic);
  // The topic, which is no longer found afterwards; null when unknown.
  TopicPtr Remove(std::string_view name);

  TopicPtr Find(std::string_view name) const;
  PartitionPtr Find(const PartitionId& id) const;
  // kNotFound naming what is missing: the topic, or the partition's range.
  Result<PartitionPtr> Resolve(const TopicPartition& partition) const;

  // Ascending by name.
  std::vector<TopicPtr> List() const;
  // Of all topics, ascending by topic name and partition.
  std::vector<PartitionPtr> Partitions() const;

 private:
  mutable Mutex mu_;
  std::map<std::string, TopicPtr, std::less<>> by_name_ STRATA_GUARDED_BY(mu_);
  std::map<TopicId, TopicPtr> by_id_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata::engine
