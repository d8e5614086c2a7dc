#include "engine/garbage_collector.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "cold/object_names.h"
#include "cold/topics_object.h"

namespace strata::engine {
namespace {

constexpr size_t kPageObjects = 1000;
// Keys that a report has; it counts all.
constexpr size_t kKeysReported = 1000;

}  // namespace

// One run; one step at a time.
class GarbageCollector::Collection
    : public std::enable_shared_from_this<Collection> {
 public:
  Collection(GarbageCollector& collector, GarbageOptions options,
             Engine::Done<GarbageReport> done)
      : context_(collector.context_),
        roots_(collector.roots_),
        claims_(collector.claims_),
        store_(collector.store_),
        options_(options),
        done_(std::move(done)),
        partitions_(context_.topics.Partitions()) {}

  void NextPartition() {
    if (context_.stopping.load(std::memory_order_acquire)) {
      return done_(Status(StatusCode::kClosed, "the store is shut down"));
    }
    if (partitions_.empty()) return ListTopic("");
    const PartitionPtr p = std::move(partitions_.back());
    partitions_.pop_back();
    if (options_.dry_run) return LoadClaim(p);
    claims_.Renew(p, [self = shared_from_this(), p](Status held) {
      // Another store's, or deleted meanwhile: neither is this one's business.
      if (held.code() == StatusCode::kReadOnly ||
          held.code() == StatusCode::kNotFound) {
        return self->NextPartition();
      }
      if (!held.ok()) return self->done_(std::move(held));
      uint64_t claim;
      {
        MutexLock lock(p->mu);
        claim = p->claim.known.number;
      }
      self->ListPartition(p, claim, "");
    });
  }

 private:
  // Without claiming: what would be garbage if the claim were renewed now. It
  // includes uploads that are under way.
  void LoadClaim(PartitionPtr p) {
    roots_.Reload(
        p, [self = shared_from_this(), p](Result<ColdPartitionPtr> root) {
          if (!root.ok()) return self->done_(root.status());
          self->ListPartition(p, (*root)->claim.number + 1, "");
        });
  }

  void ListPartition(PartitionPtr p, uint64_t claim, std::string after) {
    store_->List(PartitionPrefix(p->id), std::move(after), kPageObjects,
                 Request(),
                 [self = shared_from_this(), p, claim](Result<ListPage> page) {
                   if (!page.ok()) return self->done_(page.status());
                   self->Suspect(p, claim, *std::move(page));
                 });
  }

  // Of `page`, what was left behind under a lower claim, unless the root of now
  // names it.
  void Suspect(PartitionPtr p, uint64_t claim, ListPage page) {
    const size_t prefix = PartitionPrefix(p->id).size();
    std::vector<ObjectInfo> suspects;
    OffsetRange range{kMaxLogEnd, Offset(0)};
    for (const ObjectInfo& object : page.objects) {
      const std::string_view name = std::string_view(object.key).substr(prefix);
      const auto offsets = OffsetsInKey(name);
      const auto key_claim = ClaimInKey(name);
      if (!offsets || !key_claim || *key_claim >= claim) continue;
      range.base = std::min(range.base, offsets->base);
      range.end = std::max(range.end, offsets->end);
      suspects.push_back(object);
    }
    auto go_on = [self = shared_from_this(), p, claim, more = page.more,
                  last = page.objects.empty() ? std::string()
                                              : page.objects.back().key]() {
      if (!more) return self->NextPartition();
      self->ListPartition(p, claim, last);
    };
    if (suspects.empty()) return go_on();
    auto judge =
        [self = shared_from_this(), p, range, suspects = std::move(suspects),
         go_on = std::move(go_on)](Result<ColdPartitionPtr> root) mutable {
          if (!root.ok()) return self->SkipOrEnd(root.status());
          self->context_.cold_manifest->NamedKeys(
              p->id, *root, range,
              [self, suspects = std::move(suspects), go_on = std::move(go_on)](
                  Result<std::set<std::string>> named) mutable {
                if (!named.ok()) return self->done_(named.status());
                std::erase_if(suspects, [&](const ObjectInfo& object) {
                  return named->contains(object.key);
                });
                self->Remove(std::move(suspects), std::move(go_on));
              });
        };
    options_.dry_run ? roots_.Load(p, std::move(judge))
                     : roots_.LoadWhole(p, std::move(judge));
  }

  void SkipOrEnd(Status status) {
    if (status.code() == StatusCode::kReadOnly) return NextPartition();
    done_(std::move(status));
  }

  // ---- topics that nobody names

  // One request for each topic that has objects.
  void ListTopic(std::string after) {
    store_->List(AllTopicsPrefix(), std::move(after), 1, Request(),
                 [self = shared_from_this()](Result<ListPage> page) {
                   if (!page.ok()) return self->done_(page.status());
                   if (page->objects.empty()) return self->LoadNamed();
                   const std::string& key = page->objects.front().key;
                   const auto topic = TopicInKey(key);
                   if (!topic) return self->ListTopic(key);  // nothing of ours
                   self->topics_.push_back(*topic);
                   // Behind all keys of the topic: '0' comes after '/'.
                   std::string behind = TopicPrefix(*topic);
                   behind.back() = '0';
                   self->ListTopic(std::move(behind));
                 });
  }

  void LoadNamed() {
    LoadTopics(
        store_, Request(),
        [self = shared_from_this()](Result<ColdTopics> named) {
          if (!named.ok()) return self->done_(named.status());
          std::set<TopicId> known;
          for (const TopicPtr& topic : self->context_.topics.List()) {
            known.insert(topic->info.id);
          }
          for (const TopicCreated& topic : named->topics) {
            known.insert(topic.id);
          }
          // What is being purged is counted there.
          self->context_.manifest.WithState([&](const ManifestState& state) {
            for (const auto& [id, purge] : state.purges()) {
              known.insert(id);
            }
          });
          std::erase_if(self->topics_,
                        [&](const TopicId& id) { return known.contains(id); });
          self->NextTopic();
        });
  }

  void NextTopic() {
    if (topics_.empty()) return done_(std::move(report_));
    const TopicId topic = topics_.back();
    topics_.pop_back();
    CheckClosed(topic, "");
  }

  // One listing and one root for each partition that has objects.
  void CheckClosed(const TopicId& topic, std::string after) {
    store_->List(
        TopicPrefix(topic), std::move(after), 1, Request(),
        [self = shared_from_this(), topic](Result<ListPage> page) {
          if (!page.ok()) return self->done_(page.status());
          if (page->objects.empty()) return self->ListLeftBy(topic, "");
          const auto partition = PartitionInKey(page->objects.front().key);
          if (!partition) return self->NextTopic();  // nothing of ours
          self->context_.cold_manifest->Forget(*partition);
          self->context_.cold_manifest->Load(
              *partition, [self, partition](Result<ColdPartitionPtr> root) {
                if (!root.ok()) return self->done_(root.status());
                if ((*root)->generation > 0 && !(*root)->closed()) {
                  self->context_.log.Warning(
                      "{} is in the bucket and no topic there: its objects "
                      "are left alone",
                      partition->ToString());
                  return self->NextTopic();
                }
                std::string behind = PartitionPrefix(*partition);
                behind.back() = '0';
                self->CheckClosed(partition->topic, std::move(behind));
              });
        });
  }

  void ListLeftBy(const TopicId& topic, std::string after) {
    store_->List(TopicPrefix(topic), std::move(after), kPageObjects, Request(),
                 [self = shared_from_this(), topic](Result<ListPage> page) {
                   if (!page.ok()) return self->done_(page.status());
                   if (page->objects.empty()) return self->NextTopic();
                   std::string last = page->objects.back().key;
                   auto go_on = [self, topic, more = page->more,
                                 last = std::move(last)]() {
                     more ? self->ListLeftBy(topic, last) : self->NextTopic();
                   };
                   self->Remove(std::move(page->objects), std::move(go_on));
                 });
  }

  // ---- removing

  void Remove(std::vector<ObjectInfo> garbage, UniqueFunction<void()> then) {
    for (const ObjectInfo& object : garbage) {
      ++report_.objects;
      report_.bytes += object.size_bytes;
      if (report_.keys.size() < kKeysReported) {
        report_.keys.push_back(object.key);
      }
    }
    if (options_.dry_run) return then();
    Delete(std::make_shared<std::vector<ObjectInfo>>(std::move(garbage)), 0,
           std::move(then));
  }

  void Delete(std::shared_ptr<std::vector<ObjectInfo>> garbage, size_t next,
              UniqueFunction<void()> then) {
    if (next == garbage->size()) return then();
    auto shared_then =
        std::make_shared<UniqueFunction<void()>>(std::move(then));
    store_->Delete(
        (*garbage)[next].key, Request(),
        [self = shared_from_this(), garbage, next,
         shared_then](const Status& status) {
          if (!status.ok() && status.code() != StatusCode::kNotFound) {
            return self->done_(
                status.WithContext("object " + (*garbage)[next].key));
          }
          self->Delete(garbage, next + 1, std::move(*shared_then));
        });
  }

  ObjectRequest Request() const {
    return {.timeout = context_.config.cold_request_timeout, .cancel = {}};
  }

  EngineContext& context_;
  ColdRoots& roots_;
  Claims& claims_;
  const std::shared_ptr<ObjectStore> store_;
  const GarbageOptions options_;
  Engine::Done<GarbageReport> done_;
  std::vector<PartitionPtr> partitions_;  // left
  std::vector<TopicId> topics_;           // left, that have objects
  GarbageReport report_;
};

void GarbageCollector::Collect(GarbageOptions options,
                               Engine::Done<GarbageReport> done) {
  std::make_shared<Collection>(*this, options, std::move(done))
      ->NextPartition();
}

}  // namespace strata::engine
