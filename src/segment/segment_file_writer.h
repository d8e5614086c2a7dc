// SegmentFileWriter: one new warm file of one or many segment images. Written
// under a temporary name, synced, then renamed: a file under its final name is
// complete. Also the names of segment files.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/segment_entry.h"
#include "io/file_system.h"
#include "segment/segment_writer.h"
#include "strata/status.h"

namespace strata {

// "00000000000000000007.seg", in the root of the warm file system.
std::string SegmentFileName(uint64_t number);
// nullopt for any name that SegmentFileName does not make.
std::optional<uint64_t> ParseSegmentFileName(std::string_view name);
// "tmp-00000000000000000007.seg". One that is found at open is left over from
// a crash and may be removed.
std::string TemporarySegmentFileName(uint64_t number);
std::optional<uint64_t> ParseTemporarySegmentFileName(std::string_view name);

// Owned by one thread. After an error every later call answers it again: give
// the writer up and write another file; nothing of it was published.
// Destruction without a successful Finish removes the temporary file.
class SegmentFileWriter {
 public:
  // `file_number` was never used before: kAlreadyExists otherwise.
  static Result<std::unique_ptr<SegmentFileWriter>> Create(
      FileSystem& files, uint64_t file_number);
  ~SegmentFileWriter();
  SegmentFileWriter(const SegmentFileWriter&) = delete;
  SegmentFileWriter& operator=(const SegmentFileWriter&) = delete;

  // Writes an image behind those written so far; its entry with `warm` set.
  // Errors as WriteSegmentImage and File::Write.
  Result<SegmentEntry> Add(const SegmentSpec& spec,
                           const BatchProducer& batches);
  Result<SegmentEntry> Add(const SegmentSpec& spec,
                           std::span<const SegmentBatch> batches);

  // Copies an image that lies elsewhere, byte by byte, in pieces of any size:
  // the first piece begins it, FinishImage ends it and answers `expected` with
  // `warm` set. kDataLoss when length or checksum are not those of `expected`.
  Status AppendImagePiece(ByteSpan piece);
  Result<SegmentEntry> FinishImage(const SegmentEntry& expected);

  // Syncs the file and gives it its final name. That name is durable once the
  // caller has synced the directory.
  Status Finish();

  uint64_t file_number() const { return number_; }
  // Written so far.
  uint64_t file_bytes() const { return written_ + buffer_.size(); }

 private:
  class Sink;
  struct ImageCopy {
    uint64_t position = 0;
    uint32_t crc32c = 0;
  };

  SegmentFileWriter(FileSystem& files, uint64_t number,
                    std::unique_ptr<File> file);
  Status Append(ByteSpan bytes);
  Status Flush();
  // Pads to where an image may begin; answers that position.
  Result<uint64_t> StartImage();
  // Keeps the first error.
  Status Remember(Status status);

  FileSystem& files_;
  const uint64_t number_;
  std::unique_ptr<File> file_;
  std::vector<std::byte> buffer_;  // what follows written_
  uint64_t written_ = 0;
  std::optional<ImageCopy> copy_;
  Status failed_;
  bool finished_ = false;
};

}  // namespace strata
