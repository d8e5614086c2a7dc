#include "cold/topics_object.h"

#include <algorithm>
#include <utility>

#include "cold/object_names.h"
#include "cold/versioned_fetch.h"

namespace strata {
namespace {

// Others may be faster; that many times in a row is another matter.
constexpr int kMaxAttempts = 16;

struct Fetched {
  ColdTopics topics;
  ObjectVersion version{};
};

void Fetch(std::shared_ptr<ObjectStore> store, ObjectRequest request,
           UniqueFunction<void(Result<Fetched>)> done) {
  auto found = std::make_shared<Fetched>();
  FetchVersioned(
      std::move(store), TopicsKey(), kMaxColdTopicsBytes, std::move(request),
      [found](ByteSpan bytes, ObjectVersion version) {
        STRATA_ASSIGN_OR_RETURN(found->topics, DecodeColdTopics(bytes));
        found->version = std::move(version);
        return Status::Ok();
      },
      [found, done = std::move(done)](Status status) mutable {
        if (!status.ok() && status.code() != StatusCode::kNotFound) {
          return done(std::move(status));
        }
        done(std::move(*found));
      });
}

void Apply(const ColdTopicsEdit& edit, ColdTopics& topics) {
  std::erase_if(topics.topics, [&](const TopicCreated& topic) {
    return std::ranges::find(edit.remove, topic.id) != edit.remove.end();
  });
  for (const TopicCreated& put : edit.put) {
    const auto known =
        std::ranges::find(topics.topics, put.id, &TopicCreated::id);
    if (known == topics.topics.end()) {
      topics.topics.push_back(put);
    } else {
      *known = put;
    }
  }
}

// Runs on one task at a time.
class TopicsEdit : public std::enable_shared_from_this<TopicsEdit> {
 public:
  TopicsEdit(std::shared_ptr<ObjectStore> store, ColdTopicsEdit edit,
             ObjectRequest request,
             UniqueFunction<void(Result<ColdTopics>)> done)
      : store_(std::move(store)),
        edit_(std::move(edit)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void Attempt() {
    ++attempts_;
    Fetch(store_, request_, [self = shared_from_this()](Result<Fetched> now) {
      self->OnFetched(std::move(now));
    });
  }

 private:
  void OnFetched(Result<Fetched> now) {
    if (!now.ok()) return done_(now.status());
    ColdTopics next = now->topics;
    Apply(edit_, next);
    if (next == now->topics) return done_(std::move(next));  // it is there
    if (attempts_ > kMaxAttempts) return done_(put_);
    ++next.generation;
    const Status valid = ValidateColdTopics(next);
    if (!valid.ok()) return done_(valid.WithContext("object " + TopicsKey()));
    store_->Put(
        TopicsKey(), MakeStringSource(EncodeColdTopics(next)),
        now->topics.generation == 0 ? PutPrecondition::Absent()
                                    : PutPrecondition::IfVersion(now->version),
        request_,
        [self = shared_from_this(), next](const Result<ObjectVersion>& put) {
          if (put.ok()) return self->done_(next);
          self->put_ = put.status().WithContext("object " + TopicsKey());
          const StatusCode code = put.status().code();
          // Somebody else was faster, or it may be there.
          if (code == StatusCode::kConflict || code == StatusCode::kUnknown) {
            return self->Attempt();
          }
          self->done_(self->put_);
        });
  }

  const std::shared_ptr<ObjectStore> store_;
  const ColdTopicsEdit edit_;
  const ObjectRequest request_;
  UniqueFunction<void(Result<ColdTopics>)> done_;
  int attempts_ = 0;
  Status put_;  // how the last attempt ended
};

}  // namespace

void LoadTopics(std::shared_ptr<ObjectStore> store, ObjectRequest request,
                UniqueFunction<void(Result<ColdTopics>)> done) {
  Fetch(std::move(store), std::move(request),
        [done = std::move(done)](Result<Fetched> now) mutable {
          if (!now.ok()) return done(now.status());
          done(std::move(now->topics));
        });
}

void EditTopics(std::shared_ptr<ObjectStore> store, ColdTopicsEdit edit,
                ObjectRequest request,
                UniqueFunction<void(Result<ColdTopics>)> done) {
  std::make_shared<TopicsEdit>(std::move(store), std::move(edit),
                               std::move(request), std::move(done))
      ->Attempt();
}

}  // namespace strata
