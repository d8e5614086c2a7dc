#include "cold/bucket_image.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "cold/object_names.h"
#include "cold/root_fetch.h"
#include "cold/topics_object.h"

namespace strata {
namespace {

constexpr size_t kFetchesAtOnce = 32;

// Thread-safe: fetches end on several threads.
class ImageLoad : public std::enable_shared_from_this<ImageLoad> {
 public:
  ImageLoad(std::shared_ptr<ObjectStore> store, ObjectRequest request,
            UniqueFunction<void(Result<BucketImage>)> done)
      : store_(std::move(store)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void Start() {
    LoadTopics(store_, request_,
               [self = shared_from_this()](Result<ColdTopics> topics) {
                 self->OnTopics(std::move(topics));
               });
  }

 private:
  void OnTopics(Result<ColdTopics> topics) {
    if (!topics.ok()) return done_(topics.status());
    if (topics->generation == 0) {
      return done_(
          Status(StatusCode::kNotFound, store_->Describe() +
                                            ": no store is kept here: no "
                                            "object " +
                                            TopicsKey()));
    }
    size_t begin_with;
    {
      MutexLock lock(mu_);
      image_.topics = *std::move(topics);
      for (const TopicCreated& topic : image_.topics.topics) {
        for (uint32_t p = 0; p < topic.partitions; ++p) {
          wanted_.push_back({topic.id, p});
        }
      }
      left_ = wanted_.size();
      begin_with = std::min(kFetchesAtOnce, wanted_.size());
      next_ = begin_with;
    }
    if (begin_with == 0) return End();
    for (size_t i = 0; i < begin_with; ++i) Fetch(i);
  }

  void Fetch(size_t index) {
    PartitionId id;
    {
      MutexLock lock(mu_);
      id = wanted_[index];
    }
    FetchRoot(store_, RootKey(id), id, request_,
              [self = shared_from_this(), id](Result<ColdPartitionPtr> root) {
                self->OnRoot(id, std::move(root));
              });
  }

  void OnRoot(const PartitionId& id, Result<ColdPartitionPtr> root) {
    size_t next;
    bool more;
    bool last;
    {
      MutexLock lock(mu_);
      if (!root.ok() && status_.ok()) status_ = root.status();
      if (root.ok() && (*root)->generation > 0) image_.roots[id] = *root;
      more = status_.ok() && next_ < wanted_.size();
      next = more ? next_++ : 0;
      // After an error those that were not begun are left.
      if (!status_.ok()) {
        left_ -= wanted_.size() - next_;
        next_ = wanted_.size();
      }
      last = --left_ == 0;
    }
    if (more) return Fetch(next);
    if (last) End();
  }

  void End() {
    Result<BucketImage> answer = [&]() -> Result<BucketImage> {
      MutexLock lock(mu_);
      if (!status_.ok()) return status_;
      return std::move(image_);
    }();
    done_(std::move(answer));
  }

  const std::shared_ptr<ObjectStore> store_;
  const ObjectRequest request_;
  UniqueFunction<void(Result<BucketImage>)> done_;
  Mutex mu_;
  BucketImage image_ STRATA_GUARDED_BY(mu_);
  std::vector<PartitionId> wanted_ STRATA_GUARDED_BY(mu_);
  size_t next_ STRATA_GUARDED_BY(mu_) = 0;  // the first not yet begun
  size_t left_ STRATA_GUARDED_BY(mu_) = 0;  // not yet ended
  Status status_ STRATA_GUARDED_BY(mu_);    // the first error
};

}  // namespace

void LoadBucketImage(std::shared_ptr<ObjectStore> store, ObjectRequest request,
                     UniqueFunction<void(Result<BucketImage>)> done) {
  std::make_shared<ImageLoad>(std::move(store), std::move(request),
                              std::move(done))
      ->Start();
}

}  // namespace strata
