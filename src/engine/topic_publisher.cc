#include "engine/topic_publisher.h"

#include <algorithm>
#include <utility>

namespace strata::engine {
namespace {

constexpr Duration kFirstPause = std::chrono::seconds(1);
constexpr Duration kMaxPause = std::chrono::minutes(1);

bool NeverClaimed(const Topic& topic) {
  return std::ranges::all_of(topic.partitions, [](const PartitionPtr& p) {
    MutexLock lock(p->mu);
    return p->claim.known.number == 0 && p->claim.fenced_by.number == 0;
  });
}

}  // namespace

ColdTopicsEdit TopicPublisher::Due() {
  ColdTopicsEdit edit;
  std::vector<TopicId> purging;
  context_.manifest.WithState([&](const ManifestState& state) {
    for (const auto& [id, purge] : state.purges()) purging.push_back(id);
  });
  const std::vector<TopicPtr> topics = context_.topics.List();
  std::set<TopicId> unclaimed;
  for (const TopicPtr& topic : topics) {
    if (NeverClaimed(*topic)) unclaimed.insert(topic->info.id);
  }
  MutexLock lock(mu_);
  for (const TopicPtr& topic : topics) {
    const TopicInfo& info = topic->info;
    if (!unclaimed.contains(info.id) && !wanted_.contains(info.id)) continue;
    // One that is deleted right now is still listed.
    const bool deleted = std::ranges::find(purging, info.id) != purging.end();
    if (deleted || named_.contains(info.id)) continue;
    edit.put.push_back({.id = info.id,
                        .name = info.name,
                        .partitions = info.partitions,
                        .settings = info.settings,
                        .extra = {}});
  }
  std::set<TopicId> still_gone;
  for (const TopicId& id : purging) {
    if (gone_.contains(id)) {
      still_gone.insert(id);
    } else if (unwanted_.contains(id)) {
      edit.remove.push_back(id);
    }
  }
  gone_.swap(still_gone);
  return edit;
}

void TopicPublisher::PublishIfDue(Engine::StatusDone done) {
  bool due;
  {
    MutexLock lock(mu_);
    due = due_ <= context_.Ticks();
  }
  // What is to be removed, its purge asks for.
  if (!due || Due().put.empty()) return done(Status::Ok());
  Publish(std::move(done));
}

void TopicPublisher::Publish(Engine::StatusDone done) {
  {
    MutexLock lock(mu_);
    // What is under way may have begun before the change that this is about.
    (pushing_ ? next_ : waiting_).push_back(std::move(done));
    if (std::exchange(pushing_, true)) return;
  }
  Push();
}

void TopicPublisher::Push() {
  ColdTopicsEdit edit = Due();
  if (edit.put.empty() && edit.remove.empty()) {
    return OnPushed(edit, ColdTopics{});
  }
  EditTopics(
      store_, edit,
      {.timeout = context_.config.cold_request_timeout, .cancel = {}},
      [this, edit](Result<ColdTopics> now) { OnPushed(edit, std::move(now)); });
}

void TopicPublisher::OnPushed(const ColdTopicsEdit& edit,
                              Result<ColdTopics> now) {
  std::vector<Engine::StatusDone> answered;
  bool again;
  {
    MutexLock lock(mu_);
    if (now.ok()) {
      for (const TopicCreated& topic : edit.put) {
        named_.insert(topic.id);
        wanted_.erase(topic.id);
      }
      for (const TopicId& id : edit.remove) {
        gone_.insert(id);
        named_.erase(id);
        unwanted_.erase(id);
      }
      pause_ = Duration::zero();
    } else {
      pause_ = std::clamp(2 * pause_, kFirstPause, kMaxPause);
      due_ = context_.Ticks() + pause_;
    }
    answered.swap(waiting_);
    waiting_.swap(next_);
    again = !waiting_.empty();
    pushing_ = again;
  }
  for (Engine::StatusDone& done : answered) done(now.status());
  if (again) Push();
}

void TopicPublisher::WhenNamed(const TopicId& topic, Engine::StatusDone done) {
  bool named;
  {
    MutexLock lock(mu_);
    named = named_.contains(topic);
    if (!named) wanted_.insert(topic);
  }
  if (named) return done(Status::Ok());
  Publish(std::move(done));
}

void TopicPublisher::WhenGone(const TopicId& topic, Engine::StatusDone done) {
  bool gone;
  {
    MutexLock lock(mu_);
    gone = gone_.contains(topic);
    if (!gone) unwanted_.insert(topic);
  }
  if (gone) return done(Status::Ok());
  Publish(std::move(done));
}

}  // namespace strata::engine
