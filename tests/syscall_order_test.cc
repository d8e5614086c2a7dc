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
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "strata/tiered_storage.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

constexpr std::string_view kNeedle = "needle-in-the-log";
constexpr std::string_view kWrites = "pwrite64 pwritev pwritev2 write";
constexpr std::string_view kSyncs = "fdatasync fsync";
constexpr std::string_view kNamings = "renameat renameat2 linkat";

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
  request.bytes = AsBytes(kNeedle);
  Mark("append");
  if (!storage.Append({"t", 0}, request).ok()) return 3;
  Mark("acknowledged");
  if (!storage.FlushHotTier({"t", 0}).ok()) return 4;
  Mark("flushed");
  if (!storage.DemoteTo({"t", 0}, StorageTier::kCold).ok()) return 5;
  Mark("demoted");
  if (!storage.Shutdown().ok()) return 6;
  return 0;
}

// One system call. `begin` and `end` are lines of the trace: calls of several
// threads overlap.
struct Call {
  std::string name;
  std::string text;  // arguments and result
  size_t begin = 0;
  size_t end = 0;

  // The path behind the `n`th descriptor among the arguments.
  std::string Path(size_t n = 0) const { return Between('<', '>', n); }
  // The `n`th string among the arguments.
  std::string String(size_t n) const { return Between('"', '"', n); }

 private:
  std::string Between(char open, char close, size_t n) const {
    size_t at = text.find(open);
    for (; at != std::string::npos; --n) {
      const size_t stop = text.find(close, at + 1);
      if (stop == std::string::npos) break;
      if (n == 0) return text.substr(at + 1, stop - at - 1);
      at = text.find(open, stop + 1);
    }
    return {};
  }
};

bool Holds(std::string_view all, std::string_view part) {
  return all.find(part) != std::string_view::npos;
}

// What is looked for: one of `names`, with all that is not empty.
struct Wanted {
  std::string_view names;
  std::string_view text{};  // part of the arguments
  std::string_view in{};    // part of the first path
  std::string path{};       // the first path

  bool Fits(const Call& call) const {
    return Holds(' ' + std::string(names) + ' ', ' ' + call.name + ' ') &&
           Holds(call.text, text) && Holds(call.Path(), in) &&
           (path.empty() || call.Path() == path);
  }
};

class Trace {
 public:
  explicit Trace(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::map<std::string, size_t> unfinished;  // by thread
    size_t number = 0;
    for (std::string line; std::getline(in, line); ++number) {
      text_ += line.substr(0, 300) + "\n";
      const size_t start = line.find_first_not_of(' ', line.find(' '));
      if (start == std::string::npos) continue;
      const std::string thread = line.substr(0, line.find(' '));
      if (line.compare(start, 5, "<... ") == 0) {
        Call& call = calls_[unfinished.at(thread)];
        call.text += line.substr(start);
        call.end = number;
      } else if (const size_t open = line.find('(', start);
                 open != std::string::npos) {
        if (line.ends_with("<unfinished ...>")) {
          unfinished[thread] = calls_.size();
          line.resize(line.size() -
                      std::string_view("<unfinished ...>").size());
        }
        calls_.push_back({.name = line.substr(start, open - start),
                          .text = line.substr(open),
                          .begin = number,
                          .end = number});
      }
    }
  }

  // The first such call that began when `after` had ended. Without one the
  // test has failed.
  Call Next(const Call& after, const Wanted& wanted) const {
    for (const Call& call : calls_) {
      if (call.begin > after.end && wanted.Fits(call)) return call;
    }
    ADD_FAILURE() << "after line " << after.end << " " << after.name
                  << after.text.substr(0, 200) << "\nno " << wanted.names
                  << " with '" << wanted.text << "' on '" << wanted.in
                  << wanted.path << "'";
    Call none;
    none.begin = none.end = std::numeric_limits<size_t>::max();
    return none;
  }

  // The first of all.
  Call First(const Wanted& wanted) const {
    Call before;
    before.begin = before.end = 0;  // that is the start of the program
    return Next(before, wanted);
  }

  Call Mark(std::string_view name) const {
    return First({.names = "access faccessat faccessat2", .text = name});
  }

  // A write of `written`, and all other writes to that file, then a sync of it.
  Call SyncedWrite(const Call& after, const Wanted& written) const {
    const Call write = Next(after, written);
    const Call sync = Next(write, {.names = kSyncs, .path = write.Path()});
    for (const Call& call : calls_) {
      if (Wanted{.names = kWrites, .path = write.Path()}.Fits(call)) {
        EXPECT_LT(call.end, sync.begin) << call.text.substr(0, 200);
      }
    }
    return sync;
  }

  // The file that `written` filled, synced, gets its name, in a directory that
  // is synced then: that last sync, and the call that named it.
  struct Named {
    Call naming;
    Call sync;
  };
  Named NamedFile(const Call& after, const Wanted& written) const {
    const Call synced = SyncedWrite(after, written);
    const std::filesystem::path file(synced.Path());
    Named named;
    named.naming = Next(synced, {.names = kNamings,
                                 .text = file.filename().native(),
                                 .path = file.parent_path()});
    named.sync =
        Next(named.naming, {.names = "fsync", .path = named.naming.Path(1)});
    return named;
  }

  // A manifest edit: a write, then a sync of that file.
  Call Edit(const Call& after) const {
    const Call write = Next(after, {.names = kWrites, .in = "/manifest/"});
    return Next(write, {.names = kSyncs, .path = write.Path()});
  }

  const std::string& Text() const { return text_; }

 private:
  std::vector<Call> calls_;
  std::string text_;
};

TEST(SystemCalls, DataIsSyncedBeforeItIsAnsweredForAndNamedBeforeRemoval) {
  const TempDir dir;
  const auto output = dir.path() / "trace";
  const auto data = dir.path() / "data";
  // -y prints the path behind each descriptor.
  const std::string command =
      "STRATA_TRACED_DIR='" + data.string() +
      "' ASAN_OPTIONS=detect_leaks=0 strace -f -y -qq -s 4096 " +
      "-e trace=pwrite64,pwritev,pwritev2,write,fdatasync,fsync,renameat," +
      "renameat2,unlinkat,linkat,access,faccessat,faccessat2 -o '" +
      output.string() + "' '" +
      std::filesystem::read_symlink("/proc/self/exe").string() +
      "' --gtest_filter=SystemCalls.TracedProcess >/dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const Trace trace(output);
  SCOPED_TRACE(trace.Text().substr(0, 60000));
  const Call append = trace.Mark("strata-mark-append");
  const Call acknowledged = trace.Mark("strata-mark-acknowledged");
  const Call flushed = trace.Mark("strata-mark-flushed");
  const Call demoted = trace.Mark("strata-mark-demoted");

  // The append: the batch is written to the WAL and that file synced, then
  // comes the answer.
  const Call log_write =
      trace.Next(append, {.names = kWrites, .text = kNeedle, .in = "/wal/"});
  const Call log_sync =
      trace.Next(log_write, {.names = kSyncs, .path = log_write.Path()});
  EXPECT_LT(log_sync.end, acknowledged.begin);

  // The flush: a file with a durable name, then the manifest edit.
  const Trace::Named segment = trace.NamedFile(
      acknowledged, {.names = kWrites, .text = kNeedle, .in = "/warm/tmp-"});
  const std::string warm_name = segment.naming.String(1);
  EXPECT_TRUE(warm_name.ends_with(".seg")) << warm_name;
  EXPECT_LT(trace.Edit(segment.sync).end, flushed.begin);

  // The offload: the object, the bucket's root, an edit that knows of both and
  // one without the warm copy; only then is that removed.
  const Trace::Named object = trace.NamedFile(
      flushed, {.names = kWrites, .text = kNeedle, .in = "/cold/"});
  EXPECT_TRUE(object.naming.String(1).ends_with(".seg"));
  const Trace::Named root =
      trace.NamedFile(object.sync, {.names = kWrites, .in = "/cold/"});
  EXPECT_EQ(root.naming.String(1), "root");
  const Call removal = trace.Edit(trace.Edit(root.sync));
  EXPECT_LT(removal.end, demoted.begin);
  const std::string quoted_name = '"' + warm_name + '"';
  const Call unlink =
      trace.First({.names = "unlinkat", .text = quoted_name, .in = "/warm"});
  EXPECT_GT(unlink.begin, removal.end);
}

// Not a test by itself: the process that the one above traces.
TEST(SystemCalls, TracedProcess) {
  const char* dir = std::getenv("STRATA_TRACED_DIR");
  if (dir == nullptr) return;
  EXPECT_EQ(RunTraced(dir), 0);
}

}  // namespace
}  // namespace strata
