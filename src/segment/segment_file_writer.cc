#include "segment/segment_file_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/segment_format.h"

namespace strata {
namespace {

// Large enough that a write costs the device, not the call.
constexpr size_t kBufferBytes = 256 * 1024;

constexpr std::string_view kTemporaryPrefix = "tmp-";
constexpr std::string_view kSuffix = ".seg";
constexpr size_t kDigits = 20;

}  // namespace

std::string SegmentFileName(uint64_t number) {
  return fmt::format("{:020}{}", number, kSuffix);
}

std::optional<uint64_t> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const char* end = name.data() + kDigits;
  const auto parsed = std::from_chars(name.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

std::string TemporarySegmentFileName(uint64_t number) {
  return std::string(kTemporaryPrefix) + SegmentFileName(number);
}

std::optional<uint64_t> ParseTemporarySegmentFileName(std::string_view name) {
  if (!name.starts_with(kTemporaryPrefix)) return std::nullopt;
  return ParseSegmentFileName(name.substr(kTemporaryPrefix.size()));
}

class SegmentFileWriter::Sink final : public SegmentSink {
 public:
  explicit Sink(SegmentFileWriter& writer) : writer_(writer) {}
  Status Append(ByteSpan bytes) override { return writer_.Append(bytes); }

 private:
  SegmentFileWriter& writer_;
};

Result<std::unique_ptr<SegmentFileWriter>> SegmentFileWriter::Create(
    FileSystem& files, uint64_t file_number) {
  const Result<FileStat> taken = files.Stat(SegmentFileName(file_number));
  if (taken.ok()) {
    return Status(StatusCode::kAlreadyExists,
                  fmt::format("{}: file numbers are never used again",
                              SegmentFileName(file_number)));
  }
  if (taken.status().code() != StatusCode::kNotFound) return taken.status();
  STRATA_ASSIGN_OR_RETURN(
      auto file,
      files.Open(TemporarySegmentFileName(file_number), OpenMode::kCreate));
  return std::unique_ptr<SegmentFileWriter>(
      new SegmentFileWriter(files, file_number, std::move(file)));
}

SegmentFileWriter::SegmentFileWriter(FileSystem& files, uint64_t number,
                                     std::unique_ptr<File> file)
    : files_(files), number_(number), file_(std::move(file)) {
  buffer_.reserve(kBufferBytes);
}

SegmentFileWriter::~SegmentFileWriter() {
  if (finished_) return;
  file_.reset();
  // What cannot be removed now is removed at the next open, by its name.
  (void)files_.Remove(TemporarySegmentFileName(number_));
}

Status SegmentFileWriter::Remember(Status status) {
  if (failed_.ok()) failed_ = status;
  return status;
}

Status SegmentFileWriter::Append(ByteSpan bytes) {
  STRATA_RETURN_IF_ERROR(failed_);
  while (!bytes.empty()) {
    const size_t n = std::min(bytes.size(), kBufferBytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + n);
    bytes = bytes.subspan(n);
    if (buffer_.size() == kBufferBytes) STRATA_RETURN_IF_ERROR(Flush());
  }
  return Status::Ok();
}

Status SegmentFileWriter::Flush() {
  if (buffer_.empty()) return Status::Ok();
  STRATA_RETURN_IF_ERROR(Remember(file_->Write(written_, buffer_)));
  written_ += buffer_.size();
  buffer_.clear();
  return Status::Ok();
}

Result<uint64_t> SegmentFileWriter::StartImage() {
  STRATA_CHECK(!finished_ && !copy_);
  const uint64_t start = AlignUp(file_bytes(), kSegmentImageAlignment);
  const std::vector<std::byte> zeros(start - file_bytes());
  STRATA_RETURN_IF_ERROR(Append(zeros));
  return start;
}

Result<SegmentEntry> SegmentFileWriter::Add(const SegmentSpec& spec,
                                            const BatchProducer& batches) {
  STRATA_ASSIGN_OR_RETURN(const uint64_t position, StartImage());
  Sink sink(*this);
  Result<SegmentEntry> entry = WriteSegmentImage(spec, batches, sink);
  if (!entry.ok()) return Remember(entry.status());
  entry->warm = {
      .file = number_, .position = position, .length = entry->image_bytes};
  return entry;
}

Result<SegmentEntry> SegmentFileWriter::Add(
    const SegmentSpec& spec, std::span<const SegmentBatch> batches) {
  return Add(spec, ProduceFrom(batches));
}

Status SegmentFileWriter::AppendImagePiece(ByteSpan piece) {
  if (!copy_) {
    STRATA_ASSIGN_OR_RETURN(const uint64_t position, StartImage());
    copy_ = ImageCopy{.position = position};
  }
  copy_->crc32c = ExtendCrc32c(copy_->crc32c, piece);
  return Append(piece);
}

Result<SegmentEntry> SegmentFileWriter::FinishImage(
    const SegmentEntry& expected) {
  STRATA_RETURN_IF_ERROR(failed_);
  STRATA_CHECK(copy_.has_value());
  const ImageCopy copy = *copy_;
  copy_.reset();
  const uint64_t length = file_bytes() - copy.position;
  if (length != expected.image_bytes || copy.crc32c != expected.image_crc32c) {
    return Remember(
        {StatusCode::kDataLoss,
         fmt::format("copy of segment {} of {}: expected {} bytes with "
                     "checksum {:08x}, found {} with {:08x}",
                     expected.id, expected.partition.ToString(),
                     expected.image_bytes, expected.image_crc32c, length,
                     copy.crc32c)});
  }
  SegmentEntry entry = expected;
  entry.warm = {.file = number_, .position = copy.position, .length = length};
  return entry;
}

Status SegmentFileWriter::Finish() {
  STRATA_CHECK(!finished_ && !copy_);
  STRATA_RETURN_IF_ERROR(failed_);
  STRATA_RETURN_IF_ERROR(Flush());
  STRATA_RETURN_IF_ERROR(Remember(file_->Sync()));
  STRATA_RETURN_IF_ERROR(Remember(files_.Rename(
      TemporarySegmentFileName(number_), SegmentFileName(number_))));
  finished_ = true;
  return Status::Ok();
}

}  // namespace strata
