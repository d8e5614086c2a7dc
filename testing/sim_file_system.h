// SimFileSystem: FileSystem in memory that crashes, tears, lies and fills up on
// demand, the same way for the same seed. What is durable when is told in
// sim_disk.h.
//
//   SimFileSystem disk(seed);
//   auto store = Open(disk);
//   disk.CrashAfter(17);     // the 18th change on disk and all after it fail
//   store->Append(...);      // until one fails with "simulated crash"
//   store.reset();
//   disk.Crash();            // unsynced data is kept, lost or torn
//   store = Open(disk);
//
// Damage to a file behind the store's back (FlipBit, Corrupt, WriteFile) shows
// in later reads and maps, not in maps taken before.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_system.h"
#include "runtime/random.h"
#include "testing/sim_disk.h"

namespace strata {

enum class FileOp {
  // Changes: counted by CrashAfter, recorded in the trace.
  kCreate,
  kWrite,
  kSync,
  kTruncate,
  kRename,
  kLink,
  kRemove,
  kCreateDirectory,
  kRemoveDirectory,
  kSyncDirectory,
  // The rest.
  kOpen,
  kRead,
  kMap,
  kSize,
  kList,
  kStat,
  kLock,
};
// "rename".
std::string_view Name(FileOp op);

struct TraceEntry {
  FileOp op = FileOp::kWrite;
  std::string path;  // from the root, as named when the file was opened
  std::string to;    // of kRename and kLink

  friend bool operator==(const TraceEntry&, const TraceEntry&) = default;
};
std::ostream& operator<<(std::ostream& out, const TraceEntry& entry);

// Thread-safe. Files, maps and locks may outlive it.
class SimFileSystem final : public FileSystem {
 public:
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  explicit SimFileSystem(uint64_t seed = 1);
  ~SimFileSystem() override;

  // A view rooted in the directory `path`, which is created if absent. All
  // views are one disk: they crash, freeze and fill up together.
  std::unique_ptr<SimFileSystem> Mount(std::string_view path);

  // --- Crashes ---

  // Power loss: handles and locks die (kIoError "crashed"; maps stay
  // readable), the disk keeps what was durable and of the rest what `fate`
  // says. Then serves the reopened store.
  void Crash(SimUnsyncedFate fate = SimUnsyncedFate::kByChance);
  // The same with chance from outside.
  void Crash(Random& random, SimUnsyncedFate fate = SimUnsyncedFate::kByChance);
  // After `operations` more changes the disk freezes: the next change and
  // every call after it fail with kIoError "simulated crash" and change
  // nothing, until Crash().
  void CrashAfter(uint64_t operations);
  bool frozen() const;

  // --- Faults ---

  // The next `count` calls of `op` on paths (from the root) that begin with
  // `path_prefix` fail with `code`. A failed write may have written a part; a
  // failed sync may have made a part durable, and the rest never will be.
  void FailNext(FileOp op, std::string_view path_prefix = "",
                uint64_t count = 1, StatusCode code = StatusCode::kIoError);
  void ClearFaults();
  // Runs `then` once, when a read has reached `position` of a file whose path
  // begins with `path_prefix`: what it changes is seen by later reads only.
  void AfterReadOf(std::string_view path_prefix, uint64_t position,
                   std::function<void()> then);
  // Files together take at most `bytes`; a write beyond gives kNoSpace.
  void SetCapacity(uint64_t bytes);
  // SyncDirectory answers Ok and makes nothing durable.
  void IgnoreDirectorySync(bool ignore);

  // --- Behind the store's back; durable at once; the file must exist ---

  void FlipBit(std::string_view path, uint64_t position, int bit = 0);
  void Corrupt(std::string_view path, uint64_t position, ByteSpan bytes);
  // Live maps lose the pages past the new end.
  void TruncateFile(std::string_view path, uint64_t size_bytes);
  void RemoveFile(std::string_view path);
  // The pages of [position, position + length) can no longer be read: kIoError
  // from Read; in live and later maps they show zeros and DamagedIn tells.
  // Call it while no other thread reads those bytes of a live map.
  void DamageMapped(std::string_view path, uint64_t position, uint64_t length);

  // --- For assertions; no fault, count or trace applies to them ---

  Result<std::string> ReadFile(std::string_view path) const;
  // Creates the file, and directories for it, if absent; durable.
  void WriteFile(std::string_view path, std::string_view bytes);
  // All live files of this view, ascending.
  std::vector<std::string> Files() const;
  uint64_t used_bytes() const;
  uint64_t write_count() const;
  // By File::Read, not through maps.
  uint64_t bytes_read() const;
  // Of files, not of directories.
  uint64_t sync_count() const;
  // Changes asked for so far; a bound for CrashAfter.
  uint64_t change_count() const;
  void EnableTrace();
  // Changes asked for since EnableTrace, failed ones too.
  std::vector<TraceEntry> Trace() const;

  // --- FileSystem ---

  std::string Describe() const override;
  Result<std::unique_ptr<File>> Open(std::string_view path,
                                     OpenMode mode) override;
  Status Rename(std::string_view from, std::string_view to) override;
  Status Link(std::string_view from, std::string_view to) override;
  Status Remove(std::string_view path) override;
  Status CreateDirectory(std::string_view path) override;
  Status RemoveDirectory(std::string_view path) override;
  Status SyncDirectory(std::string_view path) override;
  Result<std::vector<std::string>> List(std::string_view path) override;
  Result<FileStat> Stat(std::string_view path) override;
  Result<bool> IsLocked(std::string_view path) override;
  Result<std::unique_ptr<FileLock>> TryLock(std::string_view path,
                                            std::string_view note) override;
  Result<std::unique_ptr<FileLock>> Lock(std::string_view path) override;
  Result<uint64_t> FreeBytes() override;

  // The disk and all that is set on it; shared by views and open files.
  struct State;

 private:
  SimFileSystem(std::shared_ptr<State> state, std::string prefix);

  // `path` seen from the disk's root.
  std::string Full(std::string_view path) const;

  std::shared_ptr<State> state_;
  std::string prefix_;  // "" or "dir/"
};

}  // namespace strata
