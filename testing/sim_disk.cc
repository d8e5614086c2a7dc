#include "testing/sim_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace strata {
namespace {

constexpr size_t kSectorBytes = 512;
constexpr size_t kRecycledBytes = 64 * 1024;

Status NotFound(std::string_view path) {
  return {StatusCode::kNotFound, fmt::format("{}: no such file", path)};
}

Status Refused(std::string_view path, std::string_view why) {
  return {StatusCode::kIoError, fmt::format("{}: {}", path, why)};
}

void WriteInto(std::vector<std::byte>& bytes, uint64_t position,
               ByteSpan data) {
  if (bytes.size() < position + data.size()) {
    bytes.resize(position + data.size());
  }
  std::copy(data.begin(), data.end(),
            bytes.begin() + static_cast<ptrdiff_t>(position));
}

void ApplyWhole(std::vector<std::byte>& bytes, const SimUnsynced& change) {
  if (change.is_truncate) {
    bytes.resize(change.position);
  } else {
    WriteInto(bytes, change.position, change.data);
  }
}

template <typename Visitor>
void VisitFiles(const SimNode& directory, const std::string& prefix,
                const Visitor& visit) {
  for (const auto& [name, node] : directory.entries) {
    if (node->is_directory) {
      VisitFiles(*node, prefix + name + "/", visit);
    } else {
      visit(prefix + name, *node);
    }
  }
}

}  // namespace

SimDisk::SimDisk() : root_(NewNode(true)) {}

SimNodeRef SimDisk::NewNode(bool is_directory) {
  auto node = std::make_shared<SimNode>();
  node->inode = next_inode_++;
  node->change_time_ns = ++clock_ns_;
  node->is_directory = is_directory;
  return node;
}

Result<SimNodeRef> SimDisk::Find(std::string_view path) const {
  if (path.empty()) return root_;
  STRATA_ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.node == nullptr) return NotFound(path);
  return place.node;
}

Result<SimDisk::Place> SimDisk::Locate(std::string_view path) const {
  SimNodeRef directory = root_;
  std::string_view rest = path;
  for (size_t slash; (slash = rest.find('/')) != std::string_view::npos;
       rest.remove_prefix(slash + 1)) {
    auto it = directory->entries.find(std::string(rest.substr(0, slash)));
    if (it == directory->entries.end()) return NotFound(path);
    if (!it->second->is_directory) return Refused(path, "not a directory");
    directory = it->second;
  }
  Place place{directory, std::string(rest), nullptr};
  auto it = directory->entries.find(place.name);
  if (it != directory->entries.end()) place.node = it->second;
  return place;
}

Result<SimNodeRef> SimDisk::Create(std::string_view path) {
  STRATA_ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.node != nullptr) {
    return Status(StatusCode::kAlreadyExists, std::string(path));
  }
  SimNodeRef node = NewNode(false);
  Apply({{place.directory, place.name, node}});
  return node;
}

Status SimDisk::Rename(std::string_view from, std::string_view to) {
  STRATA_ASSIGN_OR_RETURN(Place source, Locate(from));
  STRATA_ASSIGN_OR_RETURN(Place target, Locate(to));
  if (source.node == nullptr) return NotFound(from);
  if (source.node == target.node) return Status::Ok();
  if (target.node != nullptr) {
    if (target.node->is_directory || source.node->is_directory) {
      return Refused(to, "a directory is in the way");
    }
    KeepForRecycling(target.node);
  }
  source.node->change_time_ns = ++clock_ns_;
  Apply({{source.directory, source.name, nullptr},
         {target.directory, target.name, source.node}});
  return Status::Ok();
}

Status SimDisk::Link(std::string_view from, std::string_view to) {
  STRATA_ASSIGN_OR_RETURN(SimNodeRef node, Find(from));
  STRATA_ASSIGN_OR_RETURN(Place target, Locate(to));
  if (node->is_directory) return Refused(from, "is a directory");
  if (target.node != nullptr) {
    return {StatusCode::kAlreadyExists, std::string(to)};
  }
  node->change_time_ns = ++clock_ns_;
  Apply({{target.directory, target.name, node}});
  return Status::Ok();
}

Status SimDisk::Remove(std::string_view path) {
  STRATA_ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.node == nullptr) return NotFound(path);
  if (place.node->is_directory) return Refused(path, "is a directory");
  KeepForRecycling(place.node);
  Apply({{place.directory, place.name, nullptr}});
  return Status::Ok();
}

Status SimDisk::RemoveDirectory(std::string_view path) {
  STRATA_ASSIGN_OR_RETURN(Place place, Locate(path));
  if (place.node == nullptr) return NotFound(path);
  if (!place.node->is_directory) return Refused(path, "not a directory");
  if (!place.node->entries.empty()) return Refused(path, "not empty");
  Apply({{place.directory, place.name, nullptr}});
  return Status::Ok();
}

Status SimDisk::CreateDirectory(std::string_view path) {
  if (path.empty()) return Status::Ok();
  for (size_t end = 0; end != std::string_view::npos;) {
    end = path.find('/', end == 0 ? 0 : end + 1);
    STRATA_ASSIGN_OR_RETURN(Place place, Locate(path.substr(0, end)));
    if (place.node == nullptr) {
      Apply({{place.directory, place.name, NewNode(true)}});
      SyncEntries(*place.directory);
    } else if (!place.node->is_directory) {
      return Refused(path.substr(0, end), "not a directory");
    }
  }
  return Status::Ok();
}

Status SimDisk::SyncDirectory(std::string_view path) {
  STRATA_ASSIGN_OR_RETURN(SimNodeRef node, Find(path));
  if (!node->is_directory) return Refused(path, "not a directory");
  SyncEntries(*node);
  return Status::Ok();
}

void SimDisk::Apply(EntryChange change) {
  for (const Edit& edit : change) {
    if (edit.node == nullptr) {
      edit.directory->entries.erase(edit.name);
    } else {
      edit.directory->entries[edit.name] = edit.node;
    }
    edit.directory->change_time_ns = ++clock_ns_;
  }
  pending_.push_back(std::move(change));
}

void SimDisk::MakeDurable(const EntryChange& change) {
  for (const Edit& edit : change) {
    if (edit.node == nullptr) {
      edit.directory->durable_entries.erase(edit.name);
    } else {
      edit.directory->durable_entries[edit.name] = edit.node;
    }
  }
}

// A change that spans two directories takes along what came before it in
// either, so that each directory stays a prefix: hence backwards.
void SimDisk::SyncEntries(const SimNode& directory) {
  std::set<uint64_t> reached = {directory.inode};
  std::vector<bool> taken(pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) {
    taken[i] = std::any_of(pending_[i].begin(), pending_[i].end(),
                           [&](const Edit& edit) {
                             return reached.contains(edit.directory->inode);
                           });
    if (!taken[i]) continue;
    for (const Edit& edit : pending_[i]) reached.insert(edit.directory->inode);
  }
  std::vector<EntryChange> rest;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (taken[i]) {
      MakeDurable(pending_[i]);
    } else {
      rest.push_back(std::move(pending_[i]));
    }
  }
  pending_ = std::move(rest);
}

std::vector<std::byte>& SimDisk::MutableBytes(SimNode& node) {
  if (node.content->maps > 0) {
    node.content = std::make_shared<SimContent>(node.content->bytes);
  }
  return node.content->bytes;
}

void SimDisk::SetDurable(SimNode& node) {
  node.unsynced.clear();
  node.durable = node.content->bytes;
}

std::string_view SimDisk::Parent(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : path.substr(0, slash);
}

void SimDisk::Write(SimNode& node, uint64_t position, ByteSpan data) {
  WriteInto(MutableBytes(node), position, data);
  node.unsynced.push_back({.is_truncate = false,
                           .position = position,
                           .data = {data.begin(), data.end()}});
  node.change_time_ns = ++clock_ns_;
}

void SimDisk::Truncate(SimNode& node, uint64_t size_bytes) {
  MutableBytes(node).resize(size_bytes);
  node.unsynced.push_back(
      {.is_truncate = true, .position = size_bytes, .data = {}});
  node.change_time_ns = ++clock_ns_;
}

void SimDisk::Sync(SimNode& node) {
  for (const SimUnsynced& change : node.unsynced) {
    ApplyWhole(node.durable, change);
  }
  node.unsynced.clear();
}

void SimDisk::FailSync(SimNode& node, Random& random) {
  for (const SimUnsynced& change : node.unsynced) {
    if (random.Below(2) == 0) ApplyWhole(node.durable, change);
  }
  node.unsynced.clear();
}

void SimDisk::Crash(Random& random, SimUnsyncedFate fate) {
  // Some crashes lose or keep everything: orders of events that single dice
  // would hardly ever throw.
  if (fate == SimUnsyncedFate::kByChance) {
    uint64_t mood = random.Below(8);
    if (mood == 0) fate = SimUnsyncedFate::kKept;
    if (mood == 1) fate = SimUnsyncedFate::kLost;
  }
  SettleEntries(random, fate);
  SettleTree(*root_, random, fate);
}

void SimDisk::SettleEntries(Random& random, SimUnsyncedFate fate) {
  std::set<uint64_t> cut;
  for (const EntryChange& change : std::exchange(pending_, {})) {
    bool lost = fate == SimUnsyncedFate::kLost ||
                (fate == SimUnsyncedFate::kByChance && random.Below(4) == 0);
    for (const Edit& edit : change) {
      lost = lost || cut.contains(edit.directory->inode);
    }
    if (!lost) {
      MakeDurable(change);
      continue;
    }
    for (const Edit& edit : change) cut.insert(edit.directory->inode);
  }
}

void SimDisk::SettleTree(SimNode& directory, Random& random,
                         SimUnsyncedFate fate) {
  directory.entries = directory.durable_entries;
  for (const auto& [name, node] : directory.entries) {
    if (node->is_directory) {
      SettleTree(*node, random, fate);
    } else {
      SettleFile(*node, random, fate);
    }
  }
}

void SimDisk::SettleFile(SimNode& file, Random& random, SimUnsyncedFate fate) {
  const uint64_t synced_size = file.durable.size();
  for (const SimUnsynced& change : std::exchange(file.unsynced, {})) {
    if (fate == SimUnsyncedFate::kLost) continue;
    uint64_t die = fate == SimUnsyncedFate::kKept ? 0 : random.Below(8);
    if (die < 4) {
      ApplyWhole(file.durable, change);
    } else if (die < 6 && !change.is_truncate) {
      Tear(file, change, synced_size, random);
    }
  }
  bool grown = file.durable.size() > synced_size;
  if (grown && fate == SimUnsyncedFate::kByChance && random.Below(4) == 0) {
    file.durable.resize(synced_size);
  }
  file.content = std::make_shared<SimContent>();
  file.content->bytes = file.durable;
  file.locked = false;
}

// Sectors of the write arrive whole or not at all: a prefix of them or any.
// One that did not shows what was there before; past the synced end that may
// be what another file once had in a recycled block.
void SimDisk::Tear(SimNode& file, const SimUnsynced& write,
                   uint64_t synced_size, Random& random) {
  const bool prefix = random.Below(2) == 0;
  const bool recycled = random.Below(4) == 0;
  const uint64_t end = write.position + write.data.size();
  uint64_t kept_end = write.position + random.Below(write.data.size() + 1);
  if (file.durable.size() < end) file.durable.resize(end);
  for (uint64_t at = write.position; at < end;) {
    uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
    std::byte* out = file.durable.data() + at;
    if (prefix ? next <= kept_end : random.Below(2) == 0) {
      std::copy_n(write.data.data() + (at - write.position), next - at, out);
    } else if (recycled && at >= synced_size) {
      FillWithOldBlock(out, next - at, random);
    }
    at = next;
  }
}

void SimDisk::FillWithOldBlock(std::byte* out, size_t size_bytes,
                               Random& random) {
  if (recycled_.size() >= size_bytes) {
    uint64_t sectors = (recycled_.size() - size_bytes) / kSectorBytes + 1;
    uint64_t from = random.Below(sectors) * kSectorBytes;
    std::copy_n(recycled_.data() + from, size_bytes, out);
    return;
  }
  std::generate_n(out, size_bytes,
                  [&] { return static_cast<std::byte>(random.Below(256)); });
}

void SimDisk::KeepForRecycling(const SimNodeRef& node) {
  const std::vector<std::byte>& bytes = node->content->bytes;
  if (bytes.empty()) return;
  size_t n = std::min(bytes.size(), kRecycledBytes);
  recycled_.assign(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
}

uint64_t SimDisk::UsedBytes() const {
  uint64_t used = 0;
  std::set<uint64_t> seen;  // a file with two names counts once
  VisitFiles(*root_, "", [&](const std::string&, const SimNode& file) {
    if (seen.insert(file.inode).second) used += file.content->bytes.size();
  });
  return used;
}

std::vector<std::string> SimDisk::Files() const {
  std::vector<std::string> files;
  VisitFiles(*root_, "", [&](const std::string& path, const SimNode&) {
    files.push_back(path);
  });
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace strata
