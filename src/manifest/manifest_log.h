// ManifestLog: one manifest file while it is written.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "format/manifest_file.h"
#include "io/file_system.h"
#include "strata/status.h"

namespace strata {

inline constexpr std::string_view kManifestDirectory = "manifest";

// "manifest/MANIFEST-00000000000000000007".
std::string ManifestPath(uint64_t number);
// The name while the file's snapshot is written.
std::string ManifestTemporaryPath(uint64_t number);

// Used by one thread at a time. After an error of Append the file is not
// written again.
class ManifestLog {
 public:
  struct Created {
    std::unique_ptr<ManifestLog> log;  // null when `status` is an error
    Status status;
    // After an error: the file may have got its final name, so that the next
    // open may take it for the newest.
    bool may_exist = false;
  };

  // Writes a file with `snapshot` under a temporary name, syncs it, gives it
  // its name and syncs the directory. Blocking, as all here.
  static Created Create(FileSystem& files, const ManifestHeader& header,
                        const std::vector<ManifestEdit>& snapshot);

  // Appends one record for each encoded edit: one write, one sync.
  Status Append(const std::vector<std::string>& bodies);

  uint64_t number() const { return number_; }
  uint64_t snapshot_bytes() const { return snapshot_bytes_; }
  uint64_t bytes() const { return synced_; }

 private:
  ManifestLog(std::unique_ptr<File> file, uint64_t number,
              uint64_t snapshot_bytes)
      : file_(std::move(file)),
        number_(number),
        snapshot_bytes_(snapshot_bytes),
        synced_(snapshot_bytes) {}

  const std::unique_ptr<File> file_;
  const uint64_t number_;
  const uint64_t snapshot_bytes_;
  uint64_t synced_;  // all before it is on the device
};

}  // namespace strata
