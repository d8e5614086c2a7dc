#include "engine/topics.h"

#include <fmt/format.h>

namespace strata::engine {

TopicPtr MakeTopic(TopicInfo info, Executor& executor) {
  auto topic = std::make_shared<Topic>();
  for (uint32_t p = 0; p < info.partitions; ++p) {
    topic->partitions.push_back(std::make_shared<PartitionState>(
        PartitionId{info.id, p}, TopicPartition{info.name, p}, info.settings,
        executor));
  }
  topic->info = std::move(info);
  return topic;
}

Status Topics::Add(TopicPtr topic) {
  MutexLock lock(mu_);
  const auto [it, added] = by_name_.emplace(topic->info.name, topic);
  if (!added) {
    return Status(StatusCode::kAlreadyExists,
                  fmt::format("topic '{}' exists already", topic->info.name));
  }
  by_id_.emplace(topic->info.id, std::move(topic));
  return Status::Ok();
}

TopicPtr Topics::Remove(std::string_view name) {
  MutexLock lock(mu_);
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return nullptr;
  TopicPtr topic = std::move(it->second);
  by_name_.erase(it);
  by_id_.erase(topic->info.id);
  return topic;
}

TopicPtr Topics::Find(std::string_view name) const {
  MutexLock lock(mu_);
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

PartitionPtr Topics::Find(const PartitionId& id) const {
  MutexLock lock(mu_);
  const auto it = by_id_.find(id.topic);
  if (it == by_id_.end() || id.partition >= it->second->partitions.size()) {
    return nullptr;
  }
  return it->second->partitions[id.partition];
}

Result<PartitionPtr> Topics::Resolve(const TopicPartition& partition) const {
  const TopicPtr topic = Find(partition.topic);
  if (topic == nullptr) {
    return Status(StatusCode::kNotFound,
                  fmt::format("no topic '{}'", partition.topic));
  }
  if (partition.partition >= topic->partitions.size()) {
    return Status(StatusCode::kNotFound,
                  fmt::format("topic '{}' has {} partitions, no partition {}",
                              partition.topic, topic->partitions.size(),
                              partition.partition));
  }
  return topic->partitions[partition.partition];
}

std::vector<TopicPtr> Topics::List() const {
  MutexLock lock(mu_);
  std::vector<TopicPtr> topics;
  topics.reserve(by_name_.size());
  for (const auto& [name, topic] : by_name_) topics.push_back(topic);
  return topics;
}

std::vector<PartitionPtr> Topics::Partitions() const {
  std::vector<PartitionPtr> partitions;
  for (const TopicPtr& topic : List()) {
    partitions.insert(partitions.end(), topic->partitions.begin(),
                      topic->partitions.end());
  }
  return partitions;
}

}  // namespace strata::engine
