#include "testing/sim_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace strata {
namespace {

constexpr uint64_t kPageBytes = 4096;
// What FreeBytes says while no capacity is set.
constexpr uint64_t kPlentyBytes = uint64_t{1} << 40;

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;

bool Touches(const Ranges& ranges, uint64_t position, uint64_t length) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first < position + length && position < range.second;
  });
}

std::pair<uint64_t, uint64_t> PagesAround(uint64_t position, uint64_t length) {
  return {position / kPageBytes * kPageBytes,
          AlignUp(position + length, kPageBytes)};
}

}  // namespace

// A snapshot of a file's content. Thread-safe.
class SimMapping final : public Mapping {
 public:
  // Under the state's mutex.
  SimMapping(std::shared_ptr<SimFileSystem::State> state, SimNodeRef node)
      : state_(std::move(state)),
        node_(std::move(node)),
        content_(node_->content),
        size_(content_->bytes.size()) {
    ++content_->maps;
    node_->mappings.push_back(this);
  }
  ~SimMapping() override {
    MutexLock lock(state_->mu);
    --content_->maps;
    std::erase(node_->mappings, this);
  }

  ByteSpan bytes() const override { return {content_->bytes.data(), size_}; }
  bool damaged() const override { return DamagedIn(0, size_); }
  bool DamagedIn(uint64_t position, uint64_t length) const override {
    MutexLock lock(mu_);
    return Touches(damaged_, position, length);
  }

  // The whole pages [begin, end) show zeros from now on.
  void Lose(uint64_t begin, uint64_t end) {
    MutexLock lock(mu_);
    begin = std::min<uint64_t>(begin, size_);
    end = std::min<uint64_t>(end, size_);
    if (begin == end) return;
    damaged_.emplace_back(begin, end);
    std::fill(content_->bytes.data() + begin, content_->bytes.data() + end,
              std::byte{0});
  }

 private:
  const std::shared_ptr<SimFileSystem::State> state_;
  const SimNodeRef node_;
  const std::shared_ptr<SimContent> content_;
  const size_t size_;
  mutable Mutex mu_;
  Ranges damaged_ STRATA_GUARDED_BY(mu_);
};

namespace {

void LoseInMaps(SimNode& node, uint64_t begin, uint64_t end) {
  for (SimMapping* mapping : node.mappings) mapping->Lose(begin, end);
}

// Thread-safe.
class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimFileSystem::State> state, SimNodeRef node,
          std::string path, OpenMode mode, uint64_t generation)
      : state_(std::move(state)),
        node_(std::move(node)),
        path_(std::move(path)),
        mode_(mode),
        generation_(generation) {}

  Result<size_t> Read(uint64_t position, std::span<std::byte> out) override {
    const Result<size_t> read = ReadBytes(position, out);
    if (!read.ok()) return read;
    if (const auto then = HookBehind(position + *read)) then();
    return read;
  }

  Status Write(uint64_t position, ByteSpan data) override {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(BeginChange(FileOp::kWrite));
    Status fault = state_->Begin(FileOp::kWrite, path_);
    if (!fault.ok()) {
      if (!state_->frozen) WritePart(position, data);
      return fault;
    }
    uint64_t size = node_->content->bytes.size();
    uint64_t room = state_->capacity_bytes == SimFileSystem::kUnlimited
                        ? SimFileSystem::kUnlimited - size
                        : state_->FreeBytes();
    uint64_t end = position + data.size();
    if (end > size && end - size > room) {
      uint64_t fits = size + room > position ? size + room - position : 0;
      state_->disk.Write(*node_, position, data.first(fits));
      return {StatusCode::kNoSpace,
              fmt::format("write {} at {}: {} bytes do not fit", path_,
                          position, data.size())};
    }
    state_->disk.Write(*node_, position, data);
    return Status::Ok();
  }

  Status Sync() override {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(Alive(FileOp::kSync));
    Status fault = state_->Begin(FileOp::kSync, path_);
    if (fault.ok()) {
      state_->disk.Sync(*node_);
    } else if (!state_->frozen) {
      state_->disk.FailSync(*node_, state_->random);
    }
    return fault;
  }

  Status Truncate(uint64_t size_bytes) override {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(BeginChange(FileOp::kTruncate));
    STRATA_RETURN_IF_ERROR(state_->Begin(FileOp::kTruncate, path_));
    LosePagesPast(*node_, size_bytes);
    state_->disk.Truncate(*node_, size_bytes);
    return Status::Ok();
  }

  Result<uint64_t> Size() override {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(Begin(FileOp::kSize));
    return uint64_t{node_->content->bytes.size()};
  }

  Result<std::shared_ptr<Mapping>> Map() override {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(Begin(FileOp::kMap));
    auto mapping = std::make_shared<SimMapping>(state_, node_);
    for (const auto& [begin, end] : node_->damaged) mapping->Lose(begin, end);
    return std::shared_ptr<Mapping>(std::move(mapping));
  }

 private:
  Status Error(FileOp op, std::string_view what) const {
    return {StatusCode::kIoError,
            fmt::format("{} {}: {}", Name(op), path_, what)};
  }
  Status Alive(FileOp op) const STRATA_REQUIRES(state_->mu) {
    if (generation_ == state_->generation) return Status::Ok();
    return Error(op, "crashed");
  }
  Result<size_t> ReadBytes(uint64_t position, std::span<std::byte> out) {
    MutexLock lock(state_->mu);
    STRATA_RETURN_IF_ERROR(Begin(FileOp::kRead));
    const std::vector<std::byte>& bytes = node_->content->bytes;
    if (position >= bytes.size()) return size_t{0};
    size_t n = std::min<size_t>(out.size(), bytes.size() - position);
    if (Touches(node_->damaged, position, n)) {
      return Error(FileOp::kRead, fmt::format("at {}: EIO", position));
    }
    std::copy_n(bytes.data() + position, n, out.data());
    state_->bytes_read += n;
    return n;
  }
  // The hook for a read up to `end`; empty: none is due.
  std::function<void()> HookBehind(uint64_t end) {
    MutexLock lock(state_->mu);
    SimFileSystem::State::ReadHook& hook = state_->read_hook;
    if (end <= hook.position || !path_.starts_with(hook.path_prefix)) return {};
    return std::exchange(hook.then, nullptr);
  }
  Status Begin(FileOp op) STRATA_REQUIRES(state_->mu) {
    STRATA_RETURN_IF_ERROR(Alive(op));
    return state_->Begin(op, path_);
  }
  // Alive, and opened for writing.
  Status BeginChange(FileOp op) const STRATA_REQUIRES(state_->mu) {
    STRATA_RETURN_IF_ERROR(Alive(op));
    if (mode_ == OpenMode::kRead) return Error(op, "opened for reading");
    return Status::Ok();
  }
  void WritePart(uint64_t position, ByteSpan data) STRATA_REQUIRES(state_->mu) {
    uint64_t part = state_->random.Below(data.size() + 1);
    if (part > 0) state_->disk.Write(*node_, position, data.first(part));
  }

  const std::shared_ptr<SimFileSystem::State> state_;
  const SimNodeRef node_;
  const std::string path_;
  const OpenMode mode_;
  const uint64_t generation_;
};

// Thread-safe.
class SimLock final : public FileLock {
 public:
  SimLock(std::shared_ptr<SimFileSystem::State> state, SimNodeRef node,
          uint64_t generation)
      : state_(std::move(state)),
        node_(std::move(node)),
        generation_(generation) {}
  ~SimLock() override {
    MutexLock lock(state_->mu);
    if (generation_ == state_->generation) node_->locked = false;
  }

 private:
  const std::shared_ptr<SimFileSystem::State> state_;
  const SimNodeRef node_;
  const uint64_t generation_;
};

}  // namespace

uint64_t SimFileSystem::State::FreeBytes() const {
  if (capacity_bytes == kUnlimited) return kPlentyBytes;
  uint64_t used = disk.UsedBytes();
  return used < capacity_bytes ? capacity_bytes - used : 0;
}

std::unique_ptr<File> NewSimFile(std::shared_ptr<SimFileSystem::State> state,
                                 SimNodeRef node, std::string path,
                                 OpenMode mode, uint64_t generation) {
  return std::make_unique<SimFile>(std::move(state), std::move(node),
                                   std::move(path), mode, generation);
}

std::unique_ptr<FileLock> NewSimLock(
    std::shared_ptr<SimFileSystem::State> state, SimNodeRef node,
    uint64_t generation) {
  return std::make_unique<SimLock>(std::move(state), std::move(node),
                                   generation);
}

void Damage(SimNode& node, uint64_t position, uint64_t length) {
  auto [begin, end] = PagesAround(position, length);
  node.damaged.emplace_back(begin, end);
  LoseInMaps(node, begin, end);
}

void LosePagesPast(SimNode& node, uint64_t size_bytes) {
  uint64_t first = AlignUp(size_bytes, kPageBytes);
  LoseInMaps(node, first, SimFileSystem::kUnlimited);
}

}  // namespace strata
