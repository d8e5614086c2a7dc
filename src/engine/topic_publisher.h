// TopicPublisher: keeps the bucket's object of topics in step with the store's,
// so that the bucket alone can say which topics there are. Local first: what is
// created or deleted here is pushed later, and again until the bucket has it.
// No segment of a topic is named in the bucket before the topic is, and none of
// a deleted one is removed before the topic is.
#pragma once

#include <set>
#include <vector>

#include "cold/topics_object.h"
#include "engine/context.h"
#include "engine/engine.h"

namespace strata::engine {

// Thread-safe. Only with cold storage.
class TopicPublisher {
 public:
  // `store` is the bucket.
  TopicPublisher(EngineContext& context, std::shared_ptr<ObjectStore> store)
      : context_(context), store_(std::move(store)) {}

  // Names the topics that are not yet and that no store has claimed anything
  // of, unless that failed lately: pauses double while the bucket is away. What
  // was claimed once was named then, and may be another store's by now.
  void PublishIfDue(Engine::StatusDone done);
  // Ok once the bucket names the topic, or it is deleted. For who has seen that
  // this store may claim a partition of it.
  void WhenNamed(const TopicId& topic, Engine::StatusDone done);
  // Ok once the bucket does not name the topic, which was deleted, any more.
  // For who has closed its roots.
  void WhenGone(const TopicId& topic, Engine::StatusDone done);

 private:
  // Pushes what the bucket may not know yet; Ok at once when it knows all.
  void Publish(Engine::StatusDone done);
  // What to push; empty when the bucket knows all.
  ColdTopicsEdit Due();
  void Push();
  void OnPushed(const ColdTopicsEdit& edit, Result<ColdTopics> now);

  EngineContext& context_;
  const std::shared_ptr<ObjectStore> store_;
  Mutex mu_;
  // Topics that the bucket was seen to name, and those being purged that it was
  // seen not to name.
  std::set<TopicId> named_ STRATA_GUARDED_BY(mu_);
  std::set<TopicId> gone_ STRATA_GUARDED_BY(mu_);
  // Topics that WhenNamed and WhenGone were asked for.
  std::set<TopicId> wanted_ STRATA_GUARDED_BY(mu_);
  std::set<TopicId> unwanted_ STRATA_GUARDED_BY(mu_);
  // Who waits for the push that is under way, or for the one after it.
  bool pushing_ STRATA_GUARDED_BY(mu_) = false;
  std::vector<Engine::StatusDone> waiting_ STRATA_GUARDED_BY(mu_);
  std::vector<Engine::StatusDone> next_ STRATA_GUARDED_BY(mu_);
  MonotonicTime due_ STRATA_GUARDED_BY(mu_){};
  Duration pause_ STRATA_GUARDED_BY(mu_){};  // after the last failure
};

}  // namespace strata::engine
