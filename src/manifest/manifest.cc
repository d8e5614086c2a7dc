#include "manifest/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "format/manifest_file.h"
#include "manifest/manifest_log.h"
#include "manifest/manifest_reader.h"
#include "manifest/reserve_file.h"
#include "runtime/strand.h"

namespace strata {
namespace {

constexpr size_t kMaxWaitingEdits = 65536;

}  // namespace

// Lives until the manifest and its tasks are gone. Thread-safe, but for what
// is marked as the strand's.
class Manifest::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(FileSystem& files, Runtime& runtime, const ManifestOptions& options)
      : files_(files),
        options_(options),
        reserve_(files, runtime.random(), options.reserve_bytes),
        strand_(runtime.log_executor()) {}

  // Before the strand's first task: one of these.
  Status Start(ManifestRead read, const ManifestFiles& found);
  void StartView(ManifestRead read);

  void Commit(ManifestEdit edit, CommitDone done);
  void BeforeSnapshots(std::function<std::vector<ManifestEdit>()> edits);
  void WhenDurable(CommitDone done);
  void Close(CommitDone done);
  void TryRestoreReserve(UniqueFunction<void()> restored);
  bool reserve_intact() const { return reserve_.intact(); }
  Status status() const;
  ManifestStats stats() const;

  GuardedState guarded;

 private:
  struct Waiting {
    ManifestEdit edit;
    CommitDone done;
    Status status;
  };

  void Answer(CommitDone done, Status status);

  // On the strand.
  void CommitWaiting();
  std::vector<std::string> ApplyAll(std::vector<Waiting>& group);
  Status MakeDurable(const std::vector<std::string>& bodies);
  void RollIfGrown();
  std::vector<ManifestEdit> TakeSnapshot();
  ManifestLog::Created StartFile();
  Status Replace();
  Status BecomeReadOnly(const Status& first, const Status& second);
  void Finish(CommitDone done);

  FileSystem& files_;
  const ManifestOptions options_;

  mutable Mutex mutex_;
  std::vector<Waiting> waiting_ STRATA_GUARDED_BY(mutex_);
  bool closed_ STRATA_GUARDED_BY(mutex_) = false;
  Status status_ STRATA_GUARDED_BY(mutex_);
  std::atomic<bool> read_only_{false};  // status_ is not Ok
  ManifestStats stats_ STRATA_GUARDED_BY(mutex_);
  std::function<std::vector<ManifestEdit>()> before_snapshots_
      STRATA_GUARDED_BY(mutex_);

  // The strand's, and Start's before.
  ReserveFile reserve_;
  ManifestHeader header_;  // number: of the next file
  std::unique_ptr<ManifestLog> log_;
  std::vector<uint64_t> old_files_;  // superseded once there is a new one
  uint64_t roll_at_ = 0;

  Strand strand_;
};

Status Manifest::Core::Start(ManifestRead read, const ManifestFiles& found) {
  {
    MutexLock lock(guarded.mutex);
    guarded.state = std::move(read.state);
  }
  header_ = read.tail.header;
  header_.number = found.next_number;
  old_files_ = found.whole;
  for (const uint64_t number : found.temporary) {
    (void)files_.Remove(ManifestTemporaryPath(number));  // or at the next open
  }
  reserve_.Find();
  STRATA_RETURN_IF_ERROR(Replace());
  reserve_.Restore(options_.reserve_bytes);
  return Status::Ok();
}

void Manifest::Core::StartView(ManifestRead read) {
  {
    MutexLock lock(guarded.mutex);
    guarded.state = std::move(read.state);
  }
  MutexLock lock(mutex_);
  status_ = Status(StatusCode::kReadOnly, "opened to read only");
  read_only_.store(true, std::memory_order_release);
}

void Manifest::Core::Commit(ManifestEdit edit, CommitDone done) {
  Status refused;
  {
    MutexLock lock(mutex_);
    if (closed_) {
      refused = Status(StatusCode::kClosed, "the manifest is closed");
    } else if (waiting_.size() >= kMaxWaitingEdits) {
      refused = Status(StatusCode::kOverloaded,
                       fmt::format("{} manifest edits wait", waiting_.size()));
    } else {
      waiting_.push_back({std::move(edit), std::move(done), {}});
    }
  }
  if (!refused.ok()) return Answer(std::move(done), std::move(refused));
  strand_.Post([core = shared_from_this()] { core->CommitWaiting(); });
}

void Manifest::Core::Answer(CommitDone done, Status status) {
  strand_.Post([done = std::move(done), status = std::move(status)]() mutable {
    done(std::move(status));
  });
}

void Manifest::Core::BeforeSnapshots(
    std::function<std::vector<ManifestEdit>()> edits) {
  MutexLock lock(mutex_);
  before_snapshots_ = std::move(edits);
}

// What is in the state is written within one task: the one that applies it.
void Manifest::Core::WhenDurable(CommitDone done) {
  strand_.Post([core = shared_from_this(), done = std::move(done)]() mutable {
    done(core->status());
  });
}

// Takes all that wait: of the tasks of several commits the first does the work
// of all.
void Manifest::Core::CommitWaiting() {
  std::vector<Waiting> group;
  {
    MutexLock lock(mutex_);
    group.swap(waiting_);
    if (group.empty()) return;
    for (Waiting& one : group) one.status = status_;
  }
  const std::vector<std::string> bodies = ApplyAll(group);
  if (!bodies.empty()) {
    const Status durable = MakeDurable(bodies);
    for (Waiting& one : group) {
      if (one.status.ok()) one.status = durable;
    }
  }
  for (Waiting& one : group) one.done(std::move(one.status));
  if (!bodies.empty()) RollIfGrown();
}

// The encoded edits that took effect; the others get their status.
std::vector<std::string> Manifest::Core::ApplyAll(std::vector<Waiting>& group) {
  std::vector<std::string> bodies;
  for (Waiting& one : group) {
    if (!one.status.ok()) continue;
    std::string body = EncodeManifestEdit(one.edit);
    if (body.size() > kMaxManifestEditBytes) {
      one.status = Status(StatusCode::kInvalidArgument,
                          fmt::format("manifest edit of {} bytes: at most {}",
                                      body.size(), kMaxManifestEditBytes));
      continue;
    }
    MutexLock lock(guarded.mutex);
    one.status = guarded.state.Apply(one.edit);
    if (one.status.ok()) bodies.push_back(std::move(body));
  }
  return bodies;
}

Status Manifest::Core::MakeDurable(const std::vector<std::string>& bodies) {
  const Status appended = log_->Append(bodies);
  if (!appended.ok()) {
    // Pages of that file may be lost: never again. All goes to a new one.
    const Status replaced = Replace();
    if (!replaced.ok()) return BecomeReadOnly(appended, replaced);
  }
  MutexLock lock(mutex_);
  stats_.commits += bodies.size();
  ++stats_.syncs;
  stats_.file_bytes = log_->bytes();
  return Status::Ok();
}

Status Manifest::Core::BecomeReadOnly(const Status& first,
                                      const Status& second) {
  const std::string why = fmt::format(
      "{} could not be written ({}), nor a new file ({}); reopen",
      ManifestPath(log_->number()), first.ToString(), second.ToString());
  MutexLock lock(mutex_);
  status_ = Status(StatusCode::kReadOnly, why);
  read_only_.store(true, std::memory_order_release);
  return Status(StatusCode::kUnknown, why);
}

void Manifest::Core::RollIfGrown() {
  if (!status().ok() || log_->bytes() < roll_at_) return;
  const ManifestLog::Created rolled = StartFile();
  if (rolled.status.ok()) {
    reserve_.Restore(2 * options_.reserve_bytes);
    return;
  }
  if (rolled.may_exist) {
    // The next open may take that file for the newest: what is committed from
    // now on has to be in a newer one.
    const Status replaced = Replace();
    if (!replaced.ok()) (void)BecomeReadOnly(rolled.status, replaced);
    return;
  }
  roll_at_ = 2 * log_->bytes();  // the file still serves
}

std::vector<ManifestEdit> Manifest::Core::TakeSnapshot() {
  std::function<std::vector<ManifestEdit>()> before;
  {
    MutexLock lock(mutex_);
    before = before_snapshots_;
  }
  const std::vector<ManifestEdit> edits =
      before ? before() : std::vector<ManifestEdit>();
  MutexLock lock(guarded.mutex);
  for (const ManifestEdit& edit : edits) (void)guarded.state.Apply(edit).ok();
  return guarded.state.ToSnapshot();
}

// Goes on in a new file that holds the whole state.
ManifestLog::Created Manifest::Core::StartFile() {
  const std::vector<ManifestEdit> snapshot = TakeSnapshot();
  ManifestLog::Created created = ManifestLog::Create(files_, header_, snapshot);
  if (created.may_exist) old_files_.push_back(header_.number);
  ++header_.number;
  if (!created.status.ok()) return created;
  log_ = std::move(created.log);
  const uint64_t head = log_->snapshot_bytes();
  roll_at_ = head + std::max(options_.roll_bytes, 2 * head);
  for (const uint64_t number : old_files_) {
    if (number == log_->number()) continue;
    (void)files_.Remove(ManifestPath(number));  // or at the next open
  }
  old_files_ = {log_->number()};
  MutexLock lock(mutex_);
  stats_.file_number = log_->number();
  stats_.file_bytes = log_->bytes();
  ++stats_.rolls;
  return created;
}

// As StartFile, using up the reserve if need be.
Status Manifest::Core::Replace() {
  Status status = StartFile().status;
  if (status.code() == StatusCode::kNoSpace && reserve_.Remove()) {
    status = StartFile().status;
  }
  return status;
}

void Manifest::Core::TryRestoreReserve(UniqueFunction<void()> restored) {
  if (reserve_.intact()) return;
  strand_.Post(
      [core = shared_from_this(), restored = std::move(restored)]() mutable {
        if (core->log_ == nullptr) return;  // closed
        core->reserve_.Restore(2 * core->options_.reserve_bytes);
        if (core->reserve_.intact()) restored();
      });
}

void Manifest::Core::Close(CommitDone done) {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  strand_.Post([core = shared_from_this(), done = std::move(done)]() mutable {
    core->Finish(std::move(done));
  });
}

void Manifest::Core::Finish(CommitDone done) {
  // An edit may wait whose task, posted by another thread, comes after this.
  CommitWaiting();
  Status marked;
  if (log_ != nullptr && status().ok()) {
    // An empty edit behind all others says that they are synced: damage to
    // them will not pass for an unfinished commit.
    marked = log_->Append({EncodeManifestEdit({})});
  }
  log_.reset();
  done(std::move(marked));
}

Status Manifest::Core::status() const {
  if (!read_only_.load(std::memory_order_acquire)) return Status::Ok();
  MutexLock lock(mutex_);
  return status_;
}

ManifestStats Manifest::Core::stats() const {
  MutexLock lock(mutex_);
  return stats_;
}

Result<ManifestOpened> Manifest::Open(FileSystem& files, Runtime& runtime,
                                      ManifestOptions options) {
  STRATA_RETURN_IF_ERROR(files.CreateDirectory(kManifestDirectory));
  STRATA_ASSIGN_OR_RETURN(const ManifestFiles found, ListManifestFiles(files));
  const bool created = found.whole.empty();
  if (created && !options.create_if_missing) {
    return Status(StatusCode::kNotFound,
                  fmt::format("no manifest in {}/{}", files.Describe(),
                              kManifestDirectory));
  }
  ManifestRead read;
  if (created) {
    read.tail.header.store_id = runtime.random().NewTopicId();
  } else {
    STRATA_ASSIGN_OR_RETURN(read, ReadManifestFile(files, found.whole.back()));
  }
  ManifestOpened opened{.manifest = nullptr,
                        .state = read.state,
                        .store_id = read.tail.header.store_id,
                        .created = created,
                        .torn_bytes = read.tail.torn_bytes};
  auto core = std::make_shared<Core>(files, runtime, options);
  STRATA_RETURN_IF_ERROR(core->Start(std::move(read), found));
  opened.manifest.reset(new Manifest(std::move(core)));
  return opened;
}

Result<ManifestOpened> Manifest::View(FileSystem& files, Runtime& runtime) {
  Result<ManifestRead> read = ReadNewestManifest(files);
  if (!read.ok()) return std::move(read).status();
  ManifestOpened opened{.manifest = nullptr,
                        .state = read->state,
                        .store_id = read->tail.header.store_id,
                        .created = false,
                        .torn_bytes = 0};
  auto core = std::make_shared<Core>(files, runtime,
                                     ManifestOptions{.reserve_bytes = 0});
  core->StartView(*std::move(read));
  opened.manifest.reset(new Manifest(std::move(core)));
  return opened;
}

Manifest::Manifest(std::shared_ptr<Core> core)
    : core_(std::move(core)), guarded_(core_->guarded) {}
Manifest::~Manifest() = default;

void Manifest::Commit(ManifestEdit edit, CommitDone done) {
  core_->Commit(std::move(edit), std::move(done));
}

ManifestState Manifest::Snapshot() const {
  return WithState([](const ManifestState& state) { return state; });
}

void Manifest::BeforeSnapshots(
    std::function<std::vector<ManifestEdit>()> edits) {
  core_->BeforeSnapshots(std::move(edits));
}

void Manifest::WhenDurable(CommitDone done) {
  core_->WhenDurable(std::move(done));
}

Status Manifest::status() const { return core_->status(); }
void Manifest::TryRestoreReserve(UniqueFunction<void()> restored) {
  core_->TryRestoreReserve(std::move(restored));
}
bool Manifest::reserve_intact() const { return core_->reserve_intact(); }
void Manifest::Close(CommitDone done) { core_->Close(std::move(done)); }
ManifestStats Manifest::stats() const { return core_->stats(); }

}  // namespace strata
