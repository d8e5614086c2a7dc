#include "cold/group_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "cold/chunk_store.h"
#include "cold/object_names.h"

namespace strata {
namespace {

// Bytes may be damaged on their way.
constexpr int kMaxTries = 3;

uint64_t MemoryOf(const ColdGroup& group, uint64_t object_bytes) {
  return sizeof(ColdGroup) + object_bytes +
         group.entries.size() * sizeof(SegmentEntry) +
         group.groups.size() * sizeof(ColdGroupRef);
}

Result<ColdGroup> Decode(const PartitionId& partition, const ColdGroupRef& ref,
                         ByteSpan bytes) {
  const uint32_t crc = Crc32c(bytes);
  if (crc != ref.object_crc32c) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("cold group: checksum of {} bytes: expected "
                              "{:08x}, found {:08x}",
                              bytes.size(), ref.object_crc32c, crc));
  }
  return DecodeColdGroup(partition, bytes);
}

// Runs on one task at a time.
class GroupFetch : public std::enable_shared_from_this<GroupFetch> {
 public:
  GroupFetch(std::shared_ptr<ObjectStore> store, PartitionId partition,
             ColdGroupRef ref, std::chrono::milliseconds timeout,
             GroupStore::Cache::LoadDone done)
      : store_(std::move(store)),
        partition_(partition),
        ref_(std::move(ref)),
        timeout_(timeout),
        done_(std::move(done)) {}

  void Get() {
    ++tries_;
    bytes_ = std::make_shared<ColdBuffer>(ref_.object_bytes);
    store_->Get(ref_.key, 0, bytes_->bytes(),
                {.timeout = timeout_, .cancel = {}, .memory = bytes_},
                [self = shared_from_this()](const Result<size_t>& got) {
                  self->OnGot(got);
                });
  }

 private:
  void OnGot(const Result<size_t>& got) {
    const Status whole = CheckGot(ref_.key, 0, ref_.object_bytes, got);
    if (!whole.ok()) return done_(whole);
    Result<ColdGroup> group =
        Decode(partition_, ref_, std::as_const(*bytes_).bytes());
    if (!group.ok()) {
      const Status& why = group.status();
      const bool again =
          why.code() == StatusCode::kDataLoss && tries_ < kMaxTries;
      return again ? Get() : done_(why.WithContext("object " + ref_.key));
    }
    if (group->level != ref_.level || group->offsets() != ref_.offsets) {
      return done_(
          Status(StatusCode::kDataLoss,
                 fmt::format("object {}: expected a group of level {} with "
                             "offsets [{}, {}), found level {} with [{}, {})",
                             ref_.key, ref_.level, ref_.offsets.base.value(),
                             ref_.offsets.end.value(), group->level,
                             group->offsets().base.value(),
                             group->offsets().end.value())));
    }
    const uint64_t memory = MemoryOf(*group, ref_.object_bytes);
    done_(GroupStore::Cache::Loaded{
        std::make_shared<const ColdGroup>(*std::move(group)), memory});
  }

  const std::shared_ptr<ObjectStore> store_;
  const PartitionId partition_;
  const ColdGroupRef ref_;
  const std::chrono::milliseconds timeout_;
  GroupStore::Cache::LoadDone done_;
  int tries_ = 0;
  std::shared_ptr<ColdBuffer> bytes_;  // shared with the request
};

}  // namespace

GroupStore::GroupStore(std::shared_ptr<ObjectStore> store, Runtime& runtime,
                       std::chrono::milliseconds request_timeout,
                       uint64_t cache_max_bytes)
    : store_(std::move(store)),
      runtime_(runtime),
      request_timeout_(request_timeout),
      cache_(std::make_shared<Cache>(cache_max_bytes)) {}

void GroupStore::Write(PartitionId partition, ColdGroup group, uint64_t claim,
                       UniqueFunction<void(Result<ColdGroupRef>)> done) {
  const std::string bytes = EncodeColdGroup(partition, group);
  ColdGroupRef ref{.level = group.level,
                   .offsets = group.offsets(),
                   .totals = group.totals(),
                   .key = GroupKey(partition, group.level, group.offsets(),
                                   claim, runtime_.random().Next()),
                   .object_bytes = bytes.size(),
                   .object_crc32c = Crc32c(AsBytes(bytes))};
  const std::string key = ref.key;
  using Answer = UniqueFunction<void(Result<ColdGroupRef>)>;
  // std::function copies: what moves only is shared.
  auto answer = std::make_shared<Answer>(std::move(done));
  store_->Put(
      key, MakeStringSource(bytes), PutPrecondition::None(),
      {.timeout = request_timeout_, .cancel = {}},
      [self = shared_from_this(), partition, ref = std::move(ref),
       answer](const Result<ObjectVersion>& put) {
        const StatusCode code = put.status().code();
        if (!put.ok() && code != StatusCode::kUnknown) {
          return (*answer)(put.status().WithContext("object " + ref.key));
        }
        self->Load(partition, ref,
                   [ref, answer](const Result<GroupPtr>& read_back) {
                     if (read_back.ok()) return (*answer)(ref);
                     const Status& why = read_back.status();
                     // Did not arrive, or not whole: nothing names it.
                     (*answer)(why.code() == StatusCode::kDataLoss
                                   ? Status(StatusCode::kUnavailable,
                                            std::string(why.message()))
                                   : why);
                   });
      });
}

void GroupStore::Load(const PartitionId& partition, const ColdGroupRef& ref,
                      Cache::Done done) {
  cache_->Load(
      ref.key,
      [self = shared_from_this(), partition, ref](Cache::LoadDone loaded) {
        std::make_shared<GroupFetch>(self->store_, partition, ref,
                                     self->request_timeout_, std::move(loaded))
            ->Get();
      },
      std::move(done));
}

}  // namespace strata
