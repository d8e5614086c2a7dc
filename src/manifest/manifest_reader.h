// Reading of manifest files: at open, and by who only looks.
#pragma once

#include <cstdint>
#include <vector>

#include "format/manifest_file.h"
#include "io/file_system.h"
#include "manifest/manifest_state.h"
#include "strata/status.h"

namespace strata {

// What lies in the directory.
struct ManifestFiles {
  std::vector<uint64_t> whole;      // ascending
  std::vector<uint64_t> temporary;  // left by an interrupted write
  uint64_t next_number = 1;
};

Result<ManifestFiles> ListManifestFiles(FileSystem& files);

struct ManifestRead {
  ManifestTail tail;
  ManifestState state;
};

// Reads file `number`; its torn tail, if any, is ignored. Blocking. kDataLoss
// naming file, position, expected and found; kUnsupported for a newer format.
Result<ManifestRead> ReadManifestFile(FileSystem& files, uint64_t number);

// Reads the file with the highest number, also while a writer replaces it.
// kNotFound when there is none; else as ReadManifestFile.
Result<ManifestRead> ReadNewestManifest(FileSystem& files);

}  // namespace strata
