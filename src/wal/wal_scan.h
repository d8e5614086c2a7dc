// Finds the groups of one WAL file by their headers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "format/wal_format.h"
#include "io/file_system.h"

namespace strata {

struct ScannedGroup {
  uint64_t position = 0;  // of the group header in the file
  WalGroupHeader header;
};

struct ScannedFile {
  uint64_t life = 0;
  std::unique_ptr<File> file;
  uint64_t file_bytes = 0;
  uint64_t first_seq = 0;            // from the header; 0 without one
  std::string header_fault;          // why there is no header; empty: there is
  std::vector<ScannedGroup> groups;  // ascending by position and seq
};

// Group headers only: the frames are not looked at. Where no header is found
// the search goes on at the next block, so one bad group hides no other.
// kInvalidArgument for a file of another log, kUnsupported for a newer format.
Result<ScannedFile> ScanWalFile(FileSystem& files, uint64_t life,
                                const TopicId& log_id);

}  // namespace strata
