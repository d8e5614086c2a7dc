#include "manifest/reserve_file.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace strata {
namespace {

constexpr std::string_view kPath = "manifest/RESERVE";
constexpr std::string_view kTemporaryPath = "manifest/RESERVE.tmp";
constexpr uint64_t kBlockBytes = 1ull << 20;

// Random, so that a compressing file system gives it as much space as it is
// long.
std::string RandomBlock(Random& random, uint64_t bytes) {
  std::string block(bytes, '\0');
  auto* p = reinterpret_cast<std::byte*>(block.data());
  for (uint64_t at = 0; at + 8 <= bytes; at += 8) {
    StoreLittle(p + at, random.Next());
  }
  return block;
}

}  // namespace

ReserveFile::ReserveFile(FileSystem& files, Random& random, uint64_t bytes)
    : files_(files), random_(random), bytes_(bytes) {}

void ReserveFile::Find() {
  const Result<FileStat> stat = files_.Stat(kPath);
  present_ = stat.ok() && stat->size_bytes == bytes_;
}

void ReserveFile::Restore(uint64_t free_bytes) {
  if (intact()) return;
  const Result<uint64_t> free = files_.FreeBytes();
  if (!free.ok() || *free < free_bytes) return;
  (void)files_.Remove(kTemporaryPath);  // usually there is none
  present_ = Write().ok();
  if (!present_) (void)files_.Remove(kTemporaryPath);
}

Status ReserveFile::Write() {
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                          files_.Open(kTemporaryPath, OpenMode::kCreate));
  const std::string block = RandomBlock(random_, std::min(bytes_, kBlockBytes));
  for (uint64_t at = 0; at < bytes_; at += block.size()) {
    const uint64_t length = std::min<uint64_t>(block.size(), bytes_ - at);
    STRATA_RETURN_IF_ERROR(file->Write(at, AsBytes(block).first(length)));
  }
  STRATA_RETURN_IF_ERROR(file->Sync());
  STRATA_RETURN_IF_ERROR(files_.Rename(kTemporaryPath, kPath));
  return files_.SyncDirectory("manifest");
}

bool ReserveFile::Remove() {
  if (!present_) return false;
  present_ = false;
  return files_.Remove(kPath).ok();
}

}  // namespace strata
