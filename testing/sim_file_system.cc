#include "testing/sim_file_system.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <thread>
#include <utility>

#include "base/check.h"
#include "testing/sim_file.h"

namespace strata {
namespace {

bool IsChange(FileOp op) { return op <= FileOp::kSyncDirectory; }

std::vector<std::byte> ToVector(ByteSpan bytes) {
  return {bytes.begin(), bytes.end()};
}

// The root and views' roots are named "".
Status ValidateDirectoryPath(std::string_view path) {
  return path.empty() ? Status::Ok() : ValidatePath(path);
}

}  // namespace

std::string_view Name(FileOp op) {
  switch (op) {
    case FileOp::kCreate: return "create";
    case FileOp::kWrite: return "write";
    case FileOp::kSync: return "sync";
    case FileOp::kTruncate: return "truncate";
    case FileOp::kRename: return "rename";
    case FileOp::kLink: return "link";
    case FileOp::kRemove: return "remove";
    case FileOp::kCreateDirectory: return "create directory";
    case FileOp::kRemoveDirectory: return "remove directory";
    case FileOp::kSyncDirectory: return "sync directory";
    case FileOp::kOpen: return "open";
    case FileOp::kRead: return "read";
    case FileOp::kMap: return "map";
    case FileOp::kSize: return "size";
    case FileOp::kList: return "list";
    case FileOp::kStat: return "stat";
    case FileOp::kLock: return "lock";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const TraceEntry& entry) {
  out << Name(entry.op) << ' ' << entry.path;
  return entry.to.empty() ? out : out << " -> " << entry.to;
}

Status SimFileSystem::State::Begin(FileOp op, const std::string& path,
                                   const std::string& to) {
  if (IsChange(op) && !frozen) {
    ++change_count;
    write_count += op == FileOp::kWrite;
    sync_count += op == FileOp::kSync;
    if (operations_left == 0) frozen = true;
    if (operations_left != kUnlimited) --operations_left;
  }
  if (frozen) {
    return {StatusCode::kIoError,
            fmt::format("{} {}: simulated crash", Name(op), path)};
  }
  if (IsChange(op) && tracing) trace.push_back({op, path, to});
  for (Fault& fault : faults) {
    if (fault.op == op && fault.count > 0 &&
        path.starts_with(fault.path_prefix)) {
      --fault.count;
      return {fault.code, fmt::format("{} {}: injected fault", Name(op), path)};
    }
  }
  return Status::Ok();
}

SimNodeRef SimFileSystem::State::MustFind(const std::string& path) {
  Result<SimNodeRef> node = disk.Find(path);
  STRATA_CHECK(node.ok());  // the test names a file that is not there
  return *node;
}

SimFileSystem::SimFileSystem(uint64_t seed)
    : state_(std::make_shared<State>(seed)) {}
SimFileSystem::SimFileSystem(std::shared_ptr<State> state, std::string prefix)
    : state_(std::move(state)), prefix_(std::move(prefix)) {}
SimFileSystem::~SimFileSystem() = default;

std::string SimFileSystem::Full(std::string_view path) const {
  if (path.empty()) return prefix_.substr(0, prefix_.size() - !prefix_.empty());
  return prefix_ + std::string(path);
}

std::unique_ptr<SimFileSystem> SimFileSystem::Mount(std::string_view path) {
  STRATA_CHECK(ValidatePath(path).ok());
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_CHECK(state_->disk.CreateDirectory(full).ok());
  return std::unique_ptr<SimFileSystem>(new SimFileSystem(state_, full + "/"));
}

void SimFileSystem::Crash(SimUnsyncedFate fate) {
  MutexLock lock(state_->mu);
  state_->Crash(state_->random, fate);
}

void SimFileSystem::Crash(Random& random, SimUnsyncedFate fate) {
  MutexLock lock(state_->mu);
  state_->Crash(random, fate);
}

void SimFileSystem::State::Crash(Random& chance, SimUnsyncedFate fate) {
  disk.Crash(chance, fate);
  ++generation;
  frozen = false;
  operations_left = kUnlimited;
}

void SimFileSystem::CrashAfter(uint64_t operations) {
  MutexLock lock(state_->mu);
  state_->operations_left = operations;
}

bool SimFileSystem::frozen() const {
  MutexLock lock(state_->mu);
  return state_->frozen;
}

void SimFileSystem::FailNext(FileOp op, std::string_view path_prefix,
                             uint64_t count, StatusCode code) {
  MutexLock lock(state_->mu);
  state_->faults.push_back({op, std::string(path_prefix), count, code});
}

void SimFileSystem::ClearFaults() {
  MutexLock lock(state_->mu);
  state_->faults.clear();
}

void SimFileSystem::SetCapacity(uint64_t bytes) {
  MutexLock lock(state_->mu);
  state_->capacity_bytes = bytes;
}

void SimFileSystem::IgnoreDirectorySync(bool ignore) {
  MutexLock lock(state_->mu);
  state_->ignore_directory_sync = ignore;
}

void SimFileSystem::FlipBit(std::string_view path, uint64_t position, int bit) {
  MutexLock lock(state_->mu);
  SimNodeRef node = state_->MustFind(Full(path));
  std::vector<std::byte>& bytes = SimDisk::MutableBytes(*node);
  STRATA_CHECK(position < bytes.size() && bit >= 0 && bit < 8);
  bytes[position] ^= std::byte{1} << bit;
  SimDisk::SetDurable(*node);
}

void SimFileSystem::Corrupt(std::string_view path, uint64_t position,
                            ByteSpan bytes) {
  MutexLock lock(state_->mu);
  SimNodeRef node = state_->MustFind(Full(path));
  std::vector<std::byte>& live = SimDisk::MutableBytes(*node);
  STRATA_CHECK(position + bytes.size() <= live.size());
  std::copy(bytes.begin(), bytes.end(),
            live.begin() + static_cast<ptrdiff_t>(position));
  SimDisk::SetDurable(*node);
}

void SimFileSystem::TruncateFile(std::string_view path, uint64_t size_bytes) {
  MutexLock lock(state_->mu);
  SimNodeRef node = state_->MustFind(Full(path));
  LosePagesPast(*node, size_bytes);
  SimDisk::MutableBytes(*node).resize(size_bytes);
  SimDisk::SetDurable(*node);
}

void SimFileSystem::RemoveFile(std::string_view path) {
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_CHECK(state_->disk.Remove(full).ok());
  STRATA_CHECK(state_->disk.SyncDirectory(SimDisk::Parent(full)).ok());
}

void SimFileSystem::DamageMapped(std::string_view path, uint64_t position,
                                 uint64_t length) {
  MutexLock lock(state_->mu);
  Damage(*state_->MustFind(Full(path)), position, length);
}

Result<std::string> SimFileSystem::ReadFile(std::string_view path) const {
  MutexLock lock(state_->mu);
  STRATA_ASSIGN_OR_RETURN(SimNodeRef node, state_->disk.Find(Full(path)));
  return std::string(AsText(node->content->bytes));
}

void SimFileSystem::WriteFile(std::string_view path, std::string_view bytes) {
  STRATA_CHECK(ValidatePath(path).ok());
  std::string full = Full(path);
  std::string parent(SimDisk::Parent(full));
  MutexLock lock(state_->mu);
  STRATA_CHECK(state_->disk.CreateDirectory(parent).ok());
  Result<SimNodeRef> node = state_->disk.Create(full);
  if (!node.ok()) node = state_->MustFind(full);
  SimDisk::MutableBytes(**node) = ToVector(AsBytes(bytes));
  SimDisk::SetDurable(**node);
  STRATA_CHECK(state_->disk.SyncDirectory(parent).ok());
}

std::vector<std::string> SimFileSystem::Files() const {
  MutexLock lock(state_->mu);
  std::vector<std::string> files;
  for (const std::string& path : state_->disk.Files()) {
    if (path.starts_with(prefix_)) files.push_back(path.substr(prefix_.size()));
  }
  return files;
}

uint64_t SimFileSystem::used_bytes() const {
  MutexLock lock(state_->mu);
  return state_->disk.UsedBytes();
}

void SimFileSystem::AfterReadOf(std::string_view path_prefix, uint64_t position,
                                std::function<void()> then) {
  MutexLock lock(state_->mu);
  state_->read_hook = {Full(path_prefix), position, std::move(then)};
}

uint64_t SimFileSystem::bytes_read() const {
  MutexLock lock(state_->mu);
  return state_->bytes_read;
}

uint64_t SimFileSystem::write_count() const {
  MutexLock lock(state_->mu);
  return state_->write_count;
}

uint64_t SimFileSystem::sync_count() const {
  MutexLock lock(state_->mu);
  return state_->sync_count;
}

uint64_t SimFileSystem::change_count() const {
  MutexLock lock(state_->mu);
  return state_->change_count;
}

void SimFileSystem::EnableTrace() {
  MutexLock lock(state_->mu);
  state_->tracing = true;
  state_->trace.clear();
}

std::vector<TraceEntry> SimFileSystem::Trace() const {
  MutexLock lock(state_->mu);
  return state_->trace;
}

std::string SimFileSystem::Describe() const { return "sim:/" + Full(""); }

Result<std::unique_ptr<File>> SimFileSystem::Open(std::string_view path,
                                                  OpenMode mode) {
  STRATA_RETURN_IF_ERROR(ValidatePath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  bool create = mode == OpenMode::kCreate;
  STRATA_RETURN_IF_ERROR(
      state_->Begin(create ? FileOp::kCreate : FileOp::kOpen, full));
  Result<SimNodeRef> node =
      create ? state_->disk.Create(full) : state_->disk.Find(full);
  if (!node.ok()) return node.status().WithContext("open");
  if ((*node)->is_directory) {
    return Status(StatusCode::kIoError, "open " + full + ": is a directory");
  }
  return NewSimFile(state_, *node, full, mode, state_->generation);
}

Status SimFileSystem::Rename(std::string_view from, std::string_view to) {
  STRATA_RETURN_IF_ERROR(ValidatePath(from));
  STRATA_RETURN_IF_ERROR(ValidatePath(to));
  std::string source = Full(from), target = Full(to);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kRename, source, target));
  return state_->disk.Rename(source, target).WithContext("rename " + source);
}

Status SimFileSystem::Link(std::string_view from, std::string_view to) {
  STRATA_RETURN_IF_ERROR(ValidatePath(from));
  STRATA_RETURN_IF_ERROR(ValidatePath(to));
  std::string source = Full(from), target = Full(to);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kLink, source, target));
  return state_->disk.Link(source, target).WithContext("link " + source);
}

Status SimFileSystem::Remove(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidatePath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kRemove, full));
  return state_->disk.Remove(full).WithContext("remove");
}

Status SimFileSystem::CreateDirectory(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidateDirectoryPath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kCreateDirectory, full));
  return state_->disk.CreateDirectory(full).WithContext("create directory");
}

Status SimFileSystem::RemoveDirectory(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidatePath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kRemoveDirectory, full));
  return state_->disk.RemoveDirectory(full).WithContext("remove directory");
}

Status SimFileSystem::SyncDirectory(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidateDirectoryPath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kSyncDirectory, full));
  if (state_->ignore_directory_sync) return Status::Ok();
  return state_->disk.SyncDirectory(full).WithContext("sync directory");
}

Result<std::vector<std::string>> SimFileSystem::List(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidateDirectoryPath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kList, full));
  Result<SimNodeRef> node = state_->disk.Find(full);
  if (!node.ok()) return node.status().WithContext("list");
  if (!(*node)->is_directory) {
    return Status(StatusCode::kIoError, "list " + full + ": not a directory");
  }
  std::vector<std::string> names;
  for (const auto& [name, child] : (*node)->entries) names.push_back(name);
  return names;
}

Result<FileStat> SimFileSystem::Stat(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidateDirectoryPath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kStat, full));
  Result<SimNodeRef> node = state_->disk.Find(full);
  if (!node.ok()) return node.status().WithContext("stat");
  return FileStat{.size_bytes = (*node)->content->bytes.size(),
                  .is_directory = (*node)->is_directory,
                  .inode = (*node)->inode,
                  .change_time_ns = (*node)->change_time_ns};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::TryLock(
    std::string_view path, std::string_view note) {
  STRATA_RETURN_IF_ERROR(ValidatePath(path));
  std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kLock, full));
  Result<SimNodeRef> found = state_->disk.Find(full);
  if (found.status().code() == StatusCode::kNotFound) {
    STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kCreate, full));
    found = state_->disk.Create(full);
  }
  if (!found.ok()) return found.status().WithContext("lock");
  SimNode& node = **found;
  if (node.is_directory) {
    return Status(StatusCode::kIoError, "lock " + full + ": is a directory");
  }
  if (node.locked) {
    return Status(
        StatusCode::kConflict,
        fmt::format("lock {}: held by {}", full, AsText(node.content->bytes)));
  }
  if (AsText(node.content->bytes) != note) {
    state_->disk.Truncate(node, 0);
    state_->disk.Write(node, 0, AsBytes(note));
  }
  node.locked = true;
  return NewSimLock(state_, *found, state_->generation);
}

Result<std::unique_ptr<FileLock>> SimFileSystem::Lock(std::string_view path) {
  for (;;) {
    Result<std::unique_ptr<FileLock>> lock = TryLock(path, "");
    if (lock.status().code() != StatusCode::kConflict) return lock;
    std::this_thread::yield();
  }
}

Result<bool> SimFileSystem::IsLocked(std::string_view path) {
  STRATA_RETURN_IF_ERROR(ValidatePath(path));
  const std::string full = Full(path);
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kStat, full));
  const Result<SimNodeRef> found = state_->disk.Find(full);
  if (found.status().code() == StatusCode::kNotFound) return false;
  if (!found.ok()) return found.status().WithContext("lock");
  return (*found)->locked;
}

Result<uint64_t> SimFileSystem::FreeBytes() {
  MutexLock lock(state_->mu);
  STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kStat, Full("")));
  return state_->FreeBytes();
}

}  // namespace strata
