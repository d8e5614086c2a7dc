// SimDisk: the model beneath SimFileSystem. Knows for every file and directory
// what the live process sees and what is durable, and what of the difference
// survives a crash.
//
// Invariants:
//  - a file's live bytes = its durable bytes with `unsynced` applied in order
//    (unless a sync failed: then they may differ for ever, as on Linux);
//  - a directory's live entries = its durable entries with the pending entry
//    changes applied in order;
//  - at a crash, what survives of the entry changes of one directory is a
//    prefix; a change that spans two directories is atomic.
//
// Thread-compatible. Paths have passed ValidatePath; "" is the root.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/random.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// A file's live bytes. Shared with maps: while `maps` > 0 the bytes are not
// changed, a writer takes a copy.
struct SimContent {
  std::vector<std::byte> bytes;
  int maps = 0;
};

// A write or truncation that no sync has covered.
struct SimUnsynced {
  bool is_truncate = false;
  uint64_t position = 0;  // the new size of a truncation
  std::vector<std::byte> data;
};

class SimMapping;

// A file or a directory.
struct SimNode {
  uint64_t inode = 0;
  uint64_t change_time_ns = 0;
  bool is_directory = false;

  std::shared_ptr<SimContent> content = std::make_shared<SimContent>();
  std::vector<std::byte> durable;
  std::vector<SimUnsynced> unsynced;
  // Unreadable media: page-aligned [begin, end).
  std::vector<std::pair<uint64_t, uint64_t>> damaged;
  std::vector<SimMapping*> mappings;  // the live ones
  bool locked = false;

  std::map<std::string, std::shared_ptr<SimNode>> entries;
  std::map<std::string, std::shared_ptr<SimNode>> durable_entries;
};
using SimNodeRef = std::shared_ptr<SimNode>;

// What a crash does to what was not synced.
enum class SimUnsyncedFate {
  kByChance,  // each write kept, lost or torn; each directory cut anywhere
  kKept,
  kLost,
};

class SimDisk {
 public:
  SimDisk();

  Result<SimNodeRef> Find(std::string_view path) const;
  Result<SimNodeRef> Create(std::string_view path);
  Status Rename(std::string_view from, std::string_view to);
  Status Link(std::string_view from, std::string_view to);
  Status Remove(std::string_view path);
  Status RemoveDirectory(std::string_view path);
  // With its parents; each one durable in its parent.
  Status CreateDirectory(std::string_view path);
  Status SyncDirectory(std::string_view path);

  void Write(SimNode& node, uint64_t position, ByteSpan data);
  void Truncate(SimNode& node, uint64_t size_bytes);
  void Sync(SimNode& node);
  // A sync that failed: the kernel takes the pages for clean, so what chance
  // did not carry to the device will never get there.
  void FailSync(SimNode& node, Random& random);

  // The live tree becomes what survives.
  void Crash(Random& random, SimUnsyncedFate fate);

  // Sizes of all live files.
  uint64_t UsedBytes() const;
  // Paths of all live files, ascending.
  std::vector<std::string> Files() const;

  // Makes `node.content` safe to change: a copy when it is mapped.
  static std::vector<std::byte>& MutableBytes(SimNode& node);
  // The live bytes are the durable ones, whatever came before.
  static void SetDurable(SimNode& node);
  // "a/b" of "a/b/c", "" of "c".
  static std::string_view Parent(std::string_view path);

 private:
  // One name set (node) or cleared (nullptr) in one directory.
  struct Edit {
    SimNodeRef directory;
    std::string name;
    SimNodeRef node;
  };
  // Edits that happen together or not at all.
  using EntryChange = std::vector<Edit>;
  struct Place {
    SimNodeRef directory;
    std::string name;
    SimNodeRef node;  // null when nothing has that name
  };

  Result<Place> Locate(std::string_view path) const;
  SimNodeRef NewNode(bool is_directory);
  void Apply(EntryChange change);
  void SyncEntries(const SimNode& directory);
  static void MakeDurable(const EntryChange& change);
  void SettleEntries(Random& random, SimUnsyncedFate fate);
  void SettleTree(SimNode& directory, Random& random, SimUnsyncedFate fate);
  void SettleFile(SimNode& file, Random& random, SimUnsyncedFate fate);
  void Tear(SimNode& file, const SimUnsynced& write, uint64_t synced_size,
            Random& random);
  void FillWithOldBlock(std::byte* out, size_t size_bytes, Random& random);
  void KeepForRecycling(const SimNodeRef& node);

  SimNodeRef root_;
  std::vector<EntryChange> pending_;
  uint64_t next_inode_ = 1;
  uint64_t clock_ns_ = 0;
  // Contents of a file removed lately: what a recycled block shows.
  std::vector<std::byte> recycled_;
};

}  // namespace strata
