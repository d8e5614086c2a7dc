// What the demo prints at its end.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/demo_check.h"
#include "cli/demo_write.h"

namespace strata::cli {

struct DemoReport {
  std::string program;  // as it was called, for hints
  std::filesystem::path data_dir;
  ColdStorageConfig cold;
  uint64_t run = 0;
  DemoWritten written;
  DemoReadBack read_back;
  TieredStorageStats stats;
};

// The table of the tiers, the figures, and which commands to try next.
std::string ToText(const DemoReport& report);

}  // namespace strata::cli
