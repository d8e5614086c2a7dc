// Finds the groups of a WAL file by their headers, and the frames of a group,
// damaged ones included.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "format/frame.h"
#include "format/wal_format.h"
#include "io/file_system.h"

namespace strata {

struct ScannedGroup {
  uint64_t position = 0;  // of the group header in the file
  WalGroupHeader header;

  uint64_t end() const { return position + header.bytes; }
};

struct ScannedFile {
  uint64_t life = 0;
  std::unique_ptr<File> file;
  uint64_t file_bytes = 0;
  uint64_t first_seq = 0;            // from the header; 0 without one
  std::string header_fault;          // why there is no header; empty: there is
  std::vector<ScannedGroup> groups;  // ascending by position and seq
  // A later file says that groups from here on do not count.
  uint64_t replaced_from = UINT64_MAX;
  bool unreadable = false;  // at least one block of it
  bool skipped = false;     // its groups were not looked for
};

// Group headers only: the frames are not looked at. Where no header is found
// the search goes on at the next block, so one bad group hides no other.
// kInvalidArgument for a file of another log, kUnsupported for a newer format,
// kIoError when the file cannot be opened.
//
// A file that is not `needed` is looked at no further than its header, and one
// that was never used hardly further.
struct WalScan {
  TopicId log_id;
  OpenMode mode = OpenMode::kRead;
  bool needed = true;
};
Result<ScannedFile> ScanWalFile(FileSystem& files, uint64_t life,
                                const WalScan& scan);

// Fills `out` with what can be read from `position` on, the rest with zeros.
// Answers what could not be read; empty: all could.
std::string ReadWhatCanBe(File& file, uint64_t position,
                          std::span<std::byte> out);

// What is left of a group. Spans borrow its bytes.
struct ScannedFrames {
  struct Frame {
    size_t at = 0;  // in the group
    DecodedFrame frame;
    std::string payload_fault;  // empty: good
  };
  // Bytes in which no frame can be found; empty when only the count is wrong.
  struct Hole {
    size_t begin = 0;
    size_t end = 0;
    std::string fault;
  };
  std::vector<Frame> frames;  // ascending
  std::vector<Hole> holes;    // ascending

  bool intact() const;
};

// The frames of the group in `bytes`, of which `header` was decoded. Behind a
// bad frame header the search goes on for the next good one. kUnsupported for
// a frame of a newer version.
Result<ScannedFrames> ScanWalGroup(ByteSpan bytes, const WalGroupHeader& header,
                                   uint64_t life);

}  // namespace strata
