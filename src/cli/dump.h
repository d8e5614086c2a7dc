// How `strata dump` shows each kind of file. Every function prints what it
// can read and tells damage with its position; each takes the whole file.
#pragma once

#include <cstdint>
#include <string_view>

#include "cli/output.h"
#include "format/frame.h"
#include "strata/status.h"
#include "strata/types.h"

namespace strata::cli {

// What was printed of a file. Owned by one thread.
class DumpReport {
 public:
  // A line, indented by two blanks a level.
  void Line(int level, std::string_view text);
  // What is wrong at `position` of the file.
  void Damage(uint64_t position, std::string_view what);
  void Damage(uint64_t position, const Status& status) {
    Damage(position, status.message());
  }

  // The reader has gone: stop.
  bool closed() const { return out_.closed(); }
  uint64_t faults() const { return faults_; }
  // kIoError, kNoSpace of the first line that could not be printed.
  Status Finish();

 private:
  Output out_;
  Status status_;
  uint64_t faults_ = 0;
};

// One line for the frame at `position` of the file.
void DumpFrame(const FrameHeader& frame, uint64_t position, DumpReport& report);

// kUnsupported for a newer version, kDataLoss where nothing can be read at
// all; other damage is in the report.
Status DumpWal(ByteSpan file, DumpReport& report);
// A warm file or a cold object: one segment image, or many.
Status DumpSegments(ByteSpan file, DumpReport& report);
Status DumpManifest(ByteSpan file, DumpReport& report);
Status DumpColdRoot(ByteSpan file, DumpReport& report);
Status DumpColdGroup(ByteSpan file, DumpReport& report);

}  // namespace strata::cli
