#include "warm/warm_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "segment/byte_source.h"
#include "segment/segment_file_writer.h"

namespace strata {
namespace {

// Of a read by copy, on top of its first block.
constexpr uint64_t kMaxCopyBytes = 8 << 20;

// Keeps a mapping alive for its views. Immutable.
class MappingOwner final : public internal::ViewOwner {
 public:
  MappingOwner(std::shared_ptr<Mapping> mapping, uint64_t number)
      : mapping_(std::move(mapping)), number_(number) {}

  Status Check(ByteSpan bytes) const override {
    const uint64_t position = bytes.data() - mapping_->bytes().data();
    if (!mapping_->DamagedIn(position, bytes.size())) return Status::Ok();
    return {StatusCode::kDataLoss,
            fmt::format("{} at {}: a page within {} bytes could not be read",
                        SegmentFileName(number_), position, bytes.size())};
  }

 private:
  const std::shared_ptr<Mapping> mapping_;
  const uint64_t number_;
};

// Owns bytes that were read into memory. Immutable once filled.
class HeapOwner final : public internal::ViewOwner {
 public:
  explicit HeapOwner(size_t size)
      : bytes_(std::make_unique_for_overwrite<std::byte[]>(size)),
        size_(size) {}

  std::span<std::byte> bytes() { return {bytes_.get(), size_}; }
  Status Check(ByteSpan) const override { return Status::Ok(); }

 private:
  const std::unique_ptr<std::byte[]> bytes_;
  const size_t size_;
};

// The image within the map; what the map lacks is missing from its end.
ByteSpan ImageIn(ByteSpan file, const WarmAddress& address) {
  const uint64_t begin = std::min<uint64_t>(address.position, file.size());
  return file.subspan(begin,
                      std::min<uint64_t>(address.length, file.size() - begin));
}

Result<SegmentIndex> ParseIn(File* file, const Mapping* mapping,
                             const WarmAddress& address) {
  if (mapping == nullptr) {
    FileSource source(*file, address.position, address.length);
    return SegmentIndex::Parse(source, address.length);
  }
  SpanSource source(ImageIn(mapping->bytes(), address));
  return SegmentIndex::Parse(source, address.length);
}

}  // namespace

Result<std::unique_ptr<File>> OpenSegmentFile(FileSystem& files,
                                              uint64_t number) {
  const std::string name = SegmentFileName(number);
  Result<std::unique_ptr<File>> file = files.Open(name, OpenMode::kRead);
  if (file.ok() || file.status().code() != StatusCode::kNotFound) return file;
  return Status(
      StatusCode::kDataLoss,
      fmt::format("segment file {} of {} is missing", name, files.Describe()));
}

const WarmAddress& AddressOf(const SegmentEntry& entry) {
  STRATA_CHECK(entry.warm.has_value());
  return *entry.warm;
}

Status InImage(const WarmAddress& address, const Status& status) {
  return status.WithContext(fmt::format(
      "{}, image at {}", SegmentFileName(address.file), address.position));
}

bool WarmFile::Image::IsVerified(size_t block) const {
  const uint64_t bits = verified[block / 64].load(std::memory_order_relaxed);
  return (bits >> (block % 64) & 1) != 0;
}

void WarmFile::Image::SetVerified(size_t block) {
  verified[block / 64].fetch_or(uint64_t{1} << (block % 64),
                                std::memory_order_relaxed);
}

Result<std::shared_ptr<WarmFile>> WarmFile::Open(FileSystem& files,
                                                 uint64_t number,
                                                 WarmReadMode mode) {
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                          OpenSegmentFile(files, number));
  std::shared_ptr<Mapping> mapping;
  if (mode == WarmReadMode::kMap) {
    STRATA_ASSIGN_OR_RETURN(mapping, file->Map());
    file.reset();  // the map needs no descriptor
  }
  return std::shared_ptr<WarmFile>(
      new WarmFile(number, std::move(file), std::move(mapping)));
}

WarmFile::WarmFile(uint64_t number, std::unique_ptr<File> file,
                   std::shared_ptr<Mapping> mapping)
    : number_(number),
      file_(std::move(file)),
      mapping_(std::move(mapping)),
      owner_(mapping_ == nullptr
                 ? nullptr
                 : std::make_shared<MappingOwner>(mapping_, number)) {}

uint64_t WarmFile::mapped_bytes() const {
  return mapping_ == nullptr ? 0 : mapping_->bytes().size();
}

std::shared_ptr<WarmFile::Image> WarmFile::FindImage(uint64_t position) {
  MutexLock lock(mu_);
  const auto it = images_.find(position);
  return it == images_.end() ? nullptr : it->second;
}

Result<std::shared_ptr<WarmFile::Image>> WarmFile::LoadImage(
    const SegmentEntry& entry) {
  const WarmAddress& address = AddressOf(entry);
  std::shared_ptr<Image> image = FindImage(address.position);
  if (image == nullptr) {
    Result<SegmentIndex> index = ParseIn(file_.get(), mapping_.get(), address);
    if (!index.ok()) {
      // The fault may be the map's.
      if (mapping_ != nullptr && mapping_->damaged()) stale_ = true;
      return index.status();
    }
    image = std::make_shared<Image>(*std::move(index));
  }
  STRATA_RETURN_IF_ERROR(image->index.CheckIdentity(entry));
  MutexLock lock(mu_);
  // Another reader may have been first; its verified blocks count.
  return images_.emplace(address.position, std::move(image)).first->second;
}

std::optional<Result<WarmFile::Batches>> WarmFile::TryRead(
    const SegmentEntry& entry, const ReadWindow& window) {
  if (mapping_ == nullptr || stale()) return std::nullopt;
  const std::shared_ptr<Image> image = FindImage(AddressOf(entry).position);
  if (image == nullptr) return std::nullopt;
  const Status identity = image->index.CheckIdentity(entry);
  if (!identity.ok()) return InImage(AddressOf(entry), identity);
  BatchCollector collector(entry, window, StorageTier::kWarm);
  const Result<bool> collected = CollectMapped(
      *image, AddressOf(entry), BatchCollector::Payloads::kTrust, collector);
  if (!collected.ok()) return InImage(AddressOf(entry), collected.status());
  if (!*collected) return std::nullopt;
  return collector.Take();
}

Result<WarmFile::Batches> WarmFile::Read(const SegmentEntry& entry,
                                         const ReadWindow& window) {
  BatchCollector collector(entry, window, StorageTier::kWarm);
  const Result<std::shared_ptr<Image>> image = LoadImage(entry);
  Status status = image.status();
  if (status.ok()) {
    status = mapping_ == nullptr
                 ? CollectByRead(**image, AddressOf(entry), window.max_bytes,
                                 collector)
                 : CollectMapped(**image, AddressOf(entry),
                                 BatchCollector::Payloads::kVerify, collector)
                       .status();
  }
  if (!status.ok()) return InImage(AddressOf(entry), status);
  return collector.Take();
}

Result<bool> WarmFile::CollectMapped(Image& image, const WarmAddress& address,
                                     BatchCollector::Payloads payloads,
                                     BatchCollector& collector) {
  const ByteSpan bytes = ImageIn(mapping_->bytes(), address);
  for (size_t i = image.index.BlockFor(collector.start());
       i < image.index.block_count() && !collector.full(); ++i) {
    const bool verified = image.IsVerified(i);
    if (!verified && payloads == BatchCollector::Payloads::kTrust) return false;
    const SegmentIndex::Block block = image.index.block(i);
    const Result<bool> good = collector.AddBlock(
        bytes.subspan(block.begin, block.end - block.begin), block,
        verified ? BatchCollector::Payloads::kTrust : payloads, owner_);
    if (collector.lost_page()) stale_ = true;
    if (!good.ok()) return good.status();
    if (*good) image.SetVerified(i);
  }
  return true;
}

Status WarmFile::CollectByRead(const Image& image, const WarmAddress& address,
                               uint64_t max_bytes, BatchCollector& collector) {
  const SegmentIndex& index = image.index;
  FileSource source(*file_, address.position, address.length);
  const uint64_t limit = std::min(max_bytes, kMaxCopyBytes);
  size_t i = index.BlockFor(collector.start());
  // Once round, but for blocks that hold nothing above the start.
  while (i < index.block_count() && !collector.full() && collector.empty()) {
    const uint64_t begin = index.block(i).begin;
    size_t end = i + 1;
    while (end < index.block_count() && index.block(end).end - begin <= limit) {
      ++end;
    }
    const auto owner =
        std::make_shared<HeapOwner>(index.block(end - 1).end - begin);
    STRATA_RETURN_IF_ERROR(ReadExactly(source, begin, owner->bytes()));
    for (; i < end && !collector.full(); ++i) {
      const SegmentIndex::Block block = index.block(i);
      const Result<bool> good = collector.AddBlock(
          owner->bytes().subspan(block.begin - begin, block.end - block.begin),
          block, BatchCollector::Payloads::kVerify, owner);
      if (!good.ok()) return good.status();
    }
  }
  return Status::Ok();
}

}  // namespace strata
