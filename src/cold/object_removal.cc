#include "cold/object_removal.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cold/object_names.h"

namespace strata {
namespace {

// What of a page goes, in order, and whether it is worth asking again.
struct Doomed {
  std::vector<std::string> keys;
  uint64_t objects = 0;  // of the page; keys may name others too
  bool more = false;
};
using Choose = UniqueFunction<Doomed(const ListPage&)>;

// Runs on one task at a time.
class Removal : public std::enable_shared_from_this<Removal> {
 public:
  Removal(std::shared_ptr<ObjectStore> store, std::string prefix,
          ObjectRequest request, Choose choose, RemovalDone done)
      : store_(std::move(store)),
        prefix_(std::move(prefix)),
        request_(std::move(request)),
        choose_(std::move(choose)),
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
    for (const ObjectInfo& object : page->objects) {
      if (!object.key.starts_with(prefix_)) {
        return done_(Status(StatusCode::kDataLoss,
                            fmt::format("list {}: found {}, which does not "
                                        "begin so",
                                        prefix_, object.key)));
      }
    }
    Doomed doomed = choose_(*page);
    removed_ = {.objects = doomed.objects, .more = doomed.more};
    keys_ = std::move(doomed.keys);
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
  Choose choose_;
  RemovalDone done_;
  ColdTier::Removed removed_;
  std::vector<std::string> keys_;  // to be deleted, in order
  size_t next_ = 0;
};

// "topics/<id>/<partition>/root", for a key of that partition; the key itself
// when it is of none.
std::string RootBeside(const std::string& key, size_t prefix) {
  const size_t slash = key.find('/', prefix);
  if (slash == std::string::npos) return key;
  return key.substr(0, slash + 1) + "root";
}

Doomed AllOfATopic(const ListPage& page, size_t prefix) {
  Doomed doomed{.keys = {},
                .objects = page.objects.size(),
                .more = page.more && !page.objects.empty()};
  std::string root;
  for (const ObjectInfo& object : page.objects) {
    std::string beside = RootBeside(object.key, prefix);
    if (beside != root) doomed.keys.push_back(root = std::move(beside));
    if (object.key != root) doomed.keys.push_back(object.key);
  }
  return doomed;
}

// Keys come in the order of their base offsets.
Doomed AllBelow(const ListPage& page, size_t prefix, Offset log_start) {
  Doomed doomed;
  bool below = true;
  for (const ObjectInfo& object : page.objects) {
    const std::optional<OffsetRange> offsets =
        OffsetsInKey(std::string_view(object.key).substr(prefix));
    below = offsets && offsets->base < log_start;
    if (!below) break;
    if (offsets->end <= log_start) doomed.keys.push_back(object.key);
  }
  doomed.objects = doomed.keys.size();
  // One that makes no room would be found again for ever.
  doomed.more = below && page.more && !doomed.keys.empty();
  return doomed;
}

void Remove(std::shared_ptr<ObjectStore> store, std::string prefix,
            size_t limit, ObjectRequest request, Choose choose,
            RemovalDone done) {
  std::make_shared<Removal>(std::move(store), std::move(prefix),
                            std::move(request), std::move(choose),
                            std::move(done))
      ->Start(limit);
}

}  // namespace

void RemoveTopicObjects(std::shared_ptr<ObjectStore> store,
                        const TopicId& topic, size_t limit,
                        ObjectRequest request, RemovalDone done) {
  std::string prefix = TopicPrefix(topic);
  const size_t length = prefix.size();
  Remove(
      std::move(store), std::move(prefix), limit, std::move(request),
      [length](const ListPage& page) { return AllOfATopic(page, length); },
      std::move(done));
}

void RemoveObjectsBelow(std::shared_ptr<ObjectStore> store,
                        const PartitionId& partition, Offset log_start,
                        size_t limit, ObjectRequest request, RemovalDone done) {
  std::string prefix = PartitionPrefix(partition);
  const size_t length = prefix.size();
  Remove(
      std::move(store), std::move(prefix), limit, std::move(request),
      [length, log_start](const ListPage& page) {
        return AllBelow(page, length, log_start);
      },
      std::move(done));
}

}  // namespace strata
