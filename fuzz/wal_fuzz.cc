// Fuzzes the recovery of one WAL file. The checksums of the file header and of
// what stands at the multiples of 4096 and 8 behind it are set right first,
// when the input asks for it: else almost no input would come past them. What
// is delivered must lie in the chunk that holds it and have the checksum it
// names; recovering twice must show the same.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/frame.h"
#include "testing/sim_file_system.h"
#include "wal/wal_recovery.h"

namespace strata {
namespace {

constexpr uint64_t kLife = 1;

// Thread-compatible.
class FuzzChunk final : public Chunk {
 public:
  explicit FuzzChunk(size_t size_bytes) : bytes_(size_bytes) {}
  std::span<std::byte> bytes() override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class FuzzChunks final : public ChunkSource {
 public:
  Result<std::shared_ptr<Chunk>> Take(size_t size_bytes, Limit) override {
    return std::shared_ptr<Chunk>(std::make_shared<FuzzChunk>(size_bytes));
  }
};

struct Found final : WalVisitor {
  void OnFrame(RecoveredFrame frame) override {
    const auto chunk = frame.chunk->bytes();
    STRATA_CHECK(frame.payload.data() >= chunk.data() &&
                 frame.payload.data() + frame.payload.size() <=
                     chunk.data() + chunk.size());
    const bool good = Crc32c(frame.payload) == frame.header.payload_crc32c;
    STRATA_CHECK(good != frame.payload_damaged);
    text += frame.where();
    text += AsText(frame.payload);
  }
  void OnDamage(const WalDamage& damage) override {
    STRATA_CHECK(damage.first_seq <= damage.last_seq);
    // Not where: what is cut is made empty, the hole may be another next time.
    text += std::to_string(damage.first_seq) + "-" +
            std::to_string(damage.last_seq) + "?";
  }
  std::string text;
};

// The log's id is all zeros.
void Seal(std::string& image) {
  auto* p = reinterpret_cast<std::byte*>(image.data());
  if (image.size() >= 64) {
    StoreLittle(p + 32, kLife);
    StoreLittle(p + 8, Crc32c({p + 12, 52}));
  }
  const uint32_t log = Crc32c(TopicId{}.bytes);
  for (size_t at = 4096; at + 64 <= image.size(); at += 4096) {
    StoreLittle(p + at, uint32_t{0x47575453});
    StoreLittle(p + at + 8, kLife);
    StoreLittle(p + at + 40, uint32_t{0});
    StoreLittle(p + at + 4, ExtendCrc32c(log, {p + at + 8, 56}));
    std::byte life[8];
    StoreLittle(life, kLife);
    for (size_t f = at + 64; f + kFrameHeaderBytes <= image.size();) {
      StoreLittle(p + f + 68, uint32_t{0});
      StoreLittle(p + f, ExtendCrc32c(Crc32c(life), {p + f + 4, 68}));
      const uint64_t bytes = FrameBytes(LoadLittle<uint32_t>(p + f + 8));
      if (bytes >= 4096) break;
      f += bytes;
      if (f / 4096 != at / 4096) break;
    }
  }
}

std::string Recover(SimFileSystem& disk) {
  FuzzChunks chunks;
  Found found;
  const WalOptions options{.file_bytes = 1 << 20,
                           .max_bytes = 4 << 20,
                           .chunk_bytes = 4096,
                           .checkpoint_interval = std::chrono::seconds(1)};
  const Result<WalRecovered> recovered =
      RecoverWal(disk, chunks, options, {}, found);
  return recovered.ok() ? found.text : recovered.status().ToString();
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;  // NOLINT
  if (size == 0) return 0;
  std::string image(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] % 2 == 0) Seal(image);
  SimFileSystem disk;
  disk.WriteFile(WalFilePath(kLife), image);
  const std::string first = Recover(disk);
  // A file without content was removed; nothing is to be found twice then.
  if (disk.Files().empty()) return 0;
  STRATA_CHECK(Recover(disk) == first);
  return 0;
}
