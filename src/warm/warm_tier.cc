#include "warm/warm_tier.h"

#include <fmt/format.h>

#include <utility>

#include "segment/byte_source.h"
#include "segment/segment_index.h"
#include "segment/segment_reader.h"

namespace strata {
namespace {

// An image read from its open file. Thread-compatible.
class ImageSource final : public ObjectSource {
 public:
  ImageSource(std::unique_ptr<File> file, const WarmAddress& address)
      : file_(std::move(file)), address_(address) {}

  uint64_t size() const override { return address_.length; }
  Status ReadAt(uint64_t position, std::span<std::byte> out) override {
    FileSource image(*file_, address_.position, address_.length);
    return InImage(address_, ReadExactly(image, position, out));
  }

 private:
  const std::unique_ptr<File> file_;
  const WarmAddress address_;
};

// What one bad sector takes along.
constexpr size_t kSalvagePieceBytes = 4096;

}  // namespace

WarmTier::WarmTier(FileSystem& files, Runtime& runtime, WarmOptions options)
    : files_(files), runtime_(runtime), cache_(files, options) {}

std::optional<Result<WarmTier::Batches>> WarmTier::TryRead(
    const SegmentEntry& entry, const ReadWindow& window) {
  const std::shared_ptr<WarmFile> file = cache_.Find(AddressOf(entry).file);
  if (file == nullptr) return std::nullopt;
  return file->TryRead(entry, window);
}

void WarmTier::Read(SegmentEntry entry, ReadWindow window,
                    UniqueFunction<void(Result<Batches>)> done) {
  runtime_.read_executor().Post(
      [this, entry = std::move(entry), window,
       done = std::move(done)]() mutable { done(ReadNow(entry, window)); });
}

Result<WarmTier::Batches> WarmTier::ReadNow(const SegmentEntry& entry,
                                            const ReadWindow& window) {
  STRATA_ASSIGN_OR_RETURN(const std::shared_ptr<WarmFile> file,
                          cache_.Open(AddressOf(entry).file));
  return file->Read(entry, window);
}

Status WarmTier::VerifyImage(const SegmentEntry& entry) {
  const WarmAddress& address = AddressOf(entry);
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                          OpenSegmentFile(files_, address.file));
  FileSource image(*file, address.position, address.length);
  return InImage(address, VerifySegmentImage(image, entry));
}

Result<std::shared_ptr<ObjectSource>> WarmTier::OpenSource(
    const SegmentEntry& entry) {
  const WarmAddress& address = AddressOf(entry);
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                          OpenSegmentFile(files_, address.file));
  STRATA_ASSIGN_OR_RETURN(const uint64_t file_bytes, file->Size());
  if (file_bytes < address.position ||
      file_bytes - address.position < address.length) {
    return InImage(address, {StatusCode::kDataLoss,
                             fmt::format("expected {} bytes, found a file of "
                                         "{}",
                                         address.length, file_bytes)});
  }
  return std::shared_ptr<ObjectSource>(
      std::make_shared<ImageSource>(std::move(file), address));
}

Status WarmTier::ForEachBatch(const SegmentEntry& entry,
                              const BatchConsumer& consume) {
  const WarmAddress& address = AddressOf(entry);
  STRATA_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                          OpenSegmentFile(files_, address.file));
  FileSource image(*file, address.position, address.length);
  // What `consume` answers is not a fault of the image.
  Status consumed;
  const auto read = [&]() -> Status {
    STRATA_ASSIGN_OR_RETURN(const SegmentIndex index,
                            SegmentIndex::Parse(image, address.length));
    STRATA_RETURN_IF_ERROR(index.CheckIdentity(entry));
    return strata::ForEachBatch(
        image, index, entry.offsets,
        [&](const SegmentBatch& batch) { return consumed = consume(batch); });
  };
  const Status status = read();
  return consumed.ok() ? InImage(address, status) : consumed;
}

Result<std::vector<std::byte>> WarmTier::ReadWhatIsLeft(
    const SegmentEntry& entry) {
  const WarmAddress& address = AddressOf(entry);
  std::vector<std::byte> bytes;
  Result<std::unique_ptr<File>> file = OpenSegmentFile(files_, address.file);
  if (!file.ok()) {
    if (file.status().code() == StatusCode::kDataLoss) return bytes;  // missing
    return file.status();
  }
  STRATA_ASSIGN_OR_RETURN(const uint64_t file_bytes, (*file)->Size());
  bytes.resize(std::min(address.length,
                        file_bytes - std::min(file_bytes, address.position)));
  FileSource image(**file, address.position, bytes.size());
  for (size_t at = 0; at < bytes.size(); at += kSalvagePieceBytes) {
    const auto piece = std::span(bytes).subspan(
        at, std::min(kSalvagePieceBytes, bytes.size() - at));
    if (!ReadExactly(image, at, piece).ok()) {
      std::ranges::fill(piece, std::byte{0});
    }
  }
  return bytes;
}

void WarmTier::Forget(uint64_t file_number) { cache_.Forget(file_number); }

WarmTier::Stats WarmTier::stats() const {
  const WarmFileCache::Stats stats = cache_.stats();
  return {.open_files = stats.open_files, .mapped_bytes = stats.mapped_bytes};
}

}  // namespace strata
