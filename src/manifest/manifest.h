// Manifest: the durable ManifestState: a log of checksummed edits in
// manifest/MANIFEST-<20 digits>, which begins with a snapshot and is replaced
// by a new file when it has grown. docs/formats/manifest.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/unique_function.h"
#include "format/manifest_format.h"
#include "io/file_system.h"
#include "manifest/manifest_state.h"
#include "runtime/runtime.h"
#include "strata/status.h"

namespace strata {

struct ManifestOptions {
  // Disk space kept in manifest/RESERVE for edits on a full disk. 0: none.
  uint64_t reserve_bytes = 64ull << 20;
  // A log part above the greater of this and twice the snapshot is replaced
  // by a new snapshot.
  uint64_t roll_bytes = 4ull << 20;
  // Otherwise Open of a directory without a manifest answers kNotFound.
  bool create_if_missing = true;
};

struct ManifestStats {
  uint64_t file_number = 0;
  uint64_t file_bytes = 0;
  uint64_t commits = 0;  // edits made durable
  uint64_t syncs = 0;    // groups of edits written
  uint64_t rolls = 0;    // new files since Open
};

struct ManifestOpened;

// Thread-safe; never blocks but in Open. Files are touched on the runtime's
// log executor, one task at a time.
class Manifest {
 public:
  using CommitDone = UniqueFunction<void(Status)>;

  // Opens the manifest, or creates one. Reads the file with the highest
  // number and goes on in a new one. Blocking. `files` and `runtime` outlive
  // the manifest and, unless Close was waited for, its tasks. kNotFound,
  // kDataLoss (file, position, expected, found), kUnsupported (newer format),
  // kNoSpace (no room for the new file, the reserve included), kIoError.
  static Result<ManifestOpened> Open(FileSystem& files, Runtime& runtime,
                                     ManifestOptions options);
  // Reads the newest manifest and changes nothing: every commit is answered
  // kReadOnly. A writer may be at work: what it has replaced meanwhile is
  // looked for again. Errors as of Open.
  static Result<ManifestOpened> View(FileSystem& files, Runtime& runtime);
  // Edits committed before still become durable.
  ~Manifest();
  Manifest(const Manifest&) = delete;
  Manifest& operator=(const Manifest&) = delete;

  // Makes `edit` durable; edits take effect in the order of the calls, and
  // several that wait share one write and sync. `done` is called once, later,
  // on the executor, in the same order:
  //   Ok           durable;
  //   kConflict    contradicts the state (the message says how); no effect;
  //   kInvalidArgument  larger than kMaxManifestEditBytes; no effect;
  //   kOverloaded  too many edits wait; no effect, try again later;
  //   kUnknown     could not be written anywhere: in effect after the next
  //                open or not. Keep both copies of what it is about;
  //   kReadOnly    an earlier write failed for good; no effect; reopen;
  //   kClosed      after Close; no effect.
  // When the runtime shuts down first, `done` is destroyed without a call.
  void Commit(ManifestEdit edit, CommitDone done);

  // Calls fn(const ManifestState&) under the manifest's lock and answers what
  // it answers: keep it short, and do not call the manifest from it. The state
  // includes edits that are being written, before their `done`.
  template <typename Fn>
  auto WithState(Fn&& fn) const {
    MutexLock lock(guarded_.mutex);
    return fn(std::as_const(guarded_.state));
  }
  // A copy. Cost: the whole state.
  ManifestState Snapshot() const;

  // Has `edits` called before the state is written as a snapshot, on the log
  // executor and under no lock: what it answers is part of that snapshot. An
  // edit that contradicts the state is left out. Until the runtime stops.
  void BeforeSnapshots(std::function<std::vector<ManifestEdit>()> edits);

  // Calls done(Ok) on the executor once the state that WithState sees now is
  // durable; done(kReadOnly) when it may never be. Writes nothing.
  void WhenDurable(CommitDone done);

  // Ok, or kReadOnly with the first error. Cheap while it is Ok.
  Status status() const;

  // Writes the reserve file again, in the background, if it is missing and
  // twice its size is free; then calls `restored` on the executor. Otherwise
  // destroys it without a call.
  void TryRestoreReserve(UniqueFunction<void()> restored);
  // False when the reserve was used up, or could not be written. The caller
  // then takes no more data but lets everything run that frees space.
  bool reserve_intact() const;

  // Lets waiting edits finish, marks the file's end as synced and closes it;
  // then calls done(Ok), or the error of the mark, on the executor. Again: Ok.
  void Close(CommitDone done);

  ManifestStats stats() const;

 private:
  class Core;
  struct GuardedState {
    Mutex mutex;
    ManifestState state STRATA_GUARDED_BY(mutex);
  };

  explicit Manifest(std::shared_ptr<Core> core);

  const std::shared_ptr<Core> core_;
  GuardedState& guarded_;  // core_'s
};

struct ManifestOpened {
  std::unique_ptr<Manifest> manifest;
  ManifestState state;  // as read
  TopicId store_id;     // 16 random bytes, drawn when the store was created
  bool created = false;
  uint64_t torn_bytes = 0;  // of an unfinished commit, ignored
};

}  // namespace strata
