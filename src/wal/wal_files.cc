#include "wal/wal_files.h"

#include <algorithm>

#include "format/wal_format.h"
#include "wal/wal_recovery.h"

namespace strata {
namespace {

// As fast as any on the disks measured, and a small buffer.
constexpr uint64_t kZeroPieceBytes = 256 << 10;

Status FillWithZeros(File& file, uint64_t file_bytes) {
  const std::vector<std::byte> zeros(std::min(kZeroPieceBytes, file_bytes));
  for (uint64_t at = 0; at < file_bytes; at += zeros.size()) {
    const uint64_t n = std::min<uint64_t>(zeros.size(), file_bytes - at);
    STRATA_RETURN_IF_ERROR(file.Write(at, ByteSpan(zeros).first(n)));
  }
  return file.Sync();
}

Result<std::unique_ptr<File>> CreateFull(FileSystem& files, uint64_t life,
                                         uint64_t file_bytes) {
  STRATA_ASSIGN_OR_RETURN(auto file,
                          files.Open(WalFilePath(life), OpenMode::kCreate));
  const Status filled = FillWithZeros(*file, file_bytes);
  if (filled.ok()) return file;
  // A half-made file takes room that others need.
  (void)files.Remove(WalFilePath(life)).ok();
  return filled;
}

}  // namespace

bool WalFile::LetGo() const {
  return std::ranges::all_of(chunks, [](const std::weak_ptr<Chunk>& chunk) {
    return chunk.expired();
  });
}

Result<std::shared_ptr<WalFile>> PrepareWalFile(
    FileSystem& files, uint64_t life, uint64_t file_bytes,
    std::optional<uint64_t> recycled) {
  auto made = std::make_shared<WalFile>();
  made->life = life;
  made->file_bytes = file_bytes;
  made->end = kWalBlockBytes;
  if (recycled) {
    STRATA_RETURN_IF_ERROR(
        files.Rename(WalFilePath(*recycled), WalFilePath(life)));
    STRATA_ASSIGN_OR_RETURN(
        made->file, files.Open(WalFilePath(life), OpenMode::kReadWrite));
  } else {
    STRATA_ASSIGN_OR_RETURN(made->file, CreateFull(files, life, file_bytes));
  }
  const Status durable = files.SyncDirectory(kWalDirectory);
  if (durable.ok()) return made;
  // Nobody will know of it, and the next try makes another one.
  (void)files.Remove(WalFilePath(life)).ok();
  return durable;
}

}  // namespace strata
