#include "cold/topic_removal.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cold/object_names.h"

namespace strata {
namespace {

// "topics/<id>/<partition>/root", for a key of that partition; the key itself
// when it is of none.
std::string RootBeside(const std::string& key, size_t prefix) {
  const size_t slash = key.find('/', prefix);
  if (slash == std::string::npos) return key;
  return key.substr(0, slash + 1) + "root";
}

// Runs on one task at a time.
class TopicRemoval : public std::enable_shared_from_this<TopicRemoval> {
 public:
  TopicRemoval(std::shared_ptr<ObjectStore> store, std::string prefix,
               ObjectRequest request,
               UniqueFunction<void(Result<ColdTier::Removed>)> done)
      : store_(std::move(store)),
        prefix_(std::move(prefix)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  void Start(size_t limit) {
    store_->List(prefix_, "", limit, request_,
                 [self = shared_from_this()](const Result<ListPage>& page) {
                   self->OnListed(page);
                 });
  }

 private:
  void OnListed(const Result<ListPage>& page) {
    if (!page.ok()) return done_(page.status().WithContext("list " + prefix_));
    removed_ = {.objects = page->objects.size(),
                .more = page->more && !page->objects.empty()};
    std::string root;
    for (const ObjectInfo& object : page->objects) {
      if (!object.key.starts_with(prefix_)) {
        return done_(Status(StatusCode::kDataLoss,
                            fmt::format("list {}: found {}, which does not "
                                        "begin so",
                                        prefix_, object.key)));
      }
      std::string beside = RootBeside(object.key, prefix_.size());
      if (beside != root) keys_.push_back(root = std::move(beside));
      if (object.key != root) keys_.push_back(object.key);
    }
    DeleteNext();
  }

  void DeleteNext() {
    if (next_ == keys_.size()) return done_(removed_);
    const std::string& key = keys_[next_++];
    store_->Delete(key, request_,
                   [self = shared_from_this(), &key](const Status& status) {
                     const bool gone =
                         status.ok() || status.code() == StatusCode::kNotFound;
                     if (gone) return self->DeleteNext();
                     self->done_(status.WithContext("object " + key));
                   });
  }

  const std::shared_ptr<ObjectStore> store_;
  const std::string prefix_;
  const ObjectRequest request_;
  UniqueFunction<void(Result<ColdTier::Removed>)> done_;
  ColdTier::Removed removed_;
  std::vector<std::string> keys_;  // to be deleted, in order
  size_t next_ = 0;
};

}  // namespace

void RemoveTopicObjects(std::shared_ptr<ObjectStore> store,
                        const TopicId& topic, size_t limit,
                        ObjectRequest request,
                        UniqueFunction<void(Result<ColdTier::Removed>)> done) {
  std::make_shared<TopicRemoval>(std::move(store), TopicPrefix(topic),
                                 std::move(request), std::move(done))
      ->Start(limit);
}

}  // namespace strata
