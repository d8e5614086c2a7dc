// The order of the real system calls, as strace sees them: data written and
// synced before the acknowledgement; a segment file written, synced, renamed,
// its directory synced and the manifest edit synced before anything is
// unlinked.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "strata/tiered_storage.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

// Leaves a mark in the trace: a system call on a name that does not exist.
void Mark(const char* name) {
  (void)!access((std::string("/strata-mark-") + name).c_str(), F_OK);
}

// What the traced process does: one append, one flush, one offload.
int RunTraced(const std::filesystem::path& dir) {
  TieredStorageConfig config = TieredStorageConfig::Testing(dir);
  config.reserve_bytes = 64 * kKiB;
  auto opened = TieredStorage::Open(config);
  if (!opened.ok()) return 1;
  TieredStorage& storage = **opened;
  if (!storage.CreateTopic("t", 1).ok()) return 2;
  AppendRequest request;
  const std::string text = "needle-in-the-log";
  request.bytes = AsBytes(text);
  Mark("append");
  if (!storage.Append({"t", 0}, request).ok()) return 3;
  Mark("acknowledged");
  if (!storage.FlushHotTier({"t", 0}).ok()) return 4;
  Mark("flushed");
  if (!storage.DemoteTo({"t", 0}, StorageTier::kCold).ok()) return 5;
  if (!storage.Shutdown().ok()) return 6;
  return 0;
}

class Trace {
 public:
  explicit Trace(const std::filesystem::path& file) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) lines_.push_back(line);
  }

  // Index of the first line from `from` on that holds all of `parts`.
  size_t Find(size_t from, const std::vector<std::string>& parts) const {
    for (size_t i = from; i < lines_.size(); ++i) {
      bool all = true;
      for (const std::string& part : parts) {
        all = all && lines_[i].find(part) != std::string::npos;
      }
      if (all) return i;
    }
    std::string wanted;
    for (const std::string& part : parts) wanted += " " + part;
    ADD_FAILURE() << "after line " << from << " no line with" << wanted;
    return lines_.size();
  }

  std::string Text() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
  }

 private:
  std::vector<std::string> lines_;
};

TEST(SystemCalls, DataIsSyncedBeforeItIsAnsweredForAndNamedBeforeRemoval) {
  const TempDir dir;
  const auto output = dir.path() / "trace";
  const auto data = dir.path() / "data";
  // -y prints the path behind each descriptor.
  const std::string command =
      "STRATA_TRACED_DIR='" + data.string() +
      "' ASAN_OPTIONS=detect_leaks=0 strace -f -y -qq -s 64 " +
      "-e trace=pwrite64,fdatasync,fsync,renameat,renameat2,unlinkat,linkat," +
      "access,faccessat,faccessat2 -o '" + output.string() + "' '" +
      std::filesystem::read_symlink("/proc/self/exe").string() +
      "' --gtest_filter=SystemCalls.TracedProcess >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const Trace trace(output);
  SCOPED_TRACE(trace.Text().substr(0, 20000));

  // The append: write to the WAL, sync, then the answer.
  size_t at = trace.Find(0, {"strata-mark-append"});
  at = trace.Find(at, {"pwrite64", "/wal/"});
  at = trace.Find(at, {"fdatasync", "/wal/"});
  at = trace.Find(at, {"strata-mark-acknowledged"});
  // The flush: write, sync, rename, sync of the directory, manifest edit.
  at = trace.Find(at, {"pwrite64", "/warm/tmp-"});
  at = trace.Find(at, {"fdatasync", "/warm/tmp-"});
  at = trace.Find(at, {"renameat", "tmp-", ".seg"});
  at = trace.Find(at, {"fsync", "/warm>"});
  at = trace.Find(at, {"pwrite64", "/manifest/"});
  at = trace.Find(at, {"fdatasync", "/manifest/"});
  at = trace.Find(at, {"strata-mark-flushed"});
  // The offload: the object, the bucket's root, the manifest edits, and only
  // then is the warm file removed.
  at = trace.Find(at, {"fdatasync", "/cold/"});
  at = trace.Find(at, {"linkat", ".seg"});
  at = trace.Find(at, {"fsync", "/cold/"});
  size_t root = trace.Find(at, {"linkat", "\"root\""});
  root = trace.Find(root, {"fsync", "/cold/"});
  const size_t edit = trace.Find(root, {"fdatasync", "/manifest/"});
  const size_t drop = trace.Find(edit + 1, {"fdatasync", "/manifest/"});
  trace.Find(drop, {"unlinkat", "/warm>", ".seg"});
}

// Not a test by itself: the process that the one above traces.
TEST(SystemCalls, TracedProcess) {
  const char* dir = std::getenv("STRATA_TRACED_DIR");
  if (dir == nullptr) return;
  EXPECT_EQ(RunTraced(dir), 0);
}

}  // namespace
}  // namespace strata
