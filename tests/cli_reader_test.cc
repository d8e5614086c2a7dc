// The program `strata` reads beside a process that writes.
#include <gmock/gmock.h>
#include <signal.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "strata/tiered_storage.h"
#include "testing/cli_fixture.h"

namespace strata {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Every command that only reads, on the topic t.
const std::vector<std::vector<std::string>> kReaders = {
    {"consume", "t"},   {"segments", "t"},           {"stats"},
    {"topics", "list"}, {"topics", "describe", "t"}, {"verify"}};

class CliReaderTest : public CliTest {
 protected:
  // A command that runs beside the test.
  class Running {
   public:
    Running(CliReaderTest& test, const Arguments& arguments, std::string name)
        : Running(test.WithData(arguments), test, std::move(name)) {}
    Running(const Arguments& command, CliReaderTest& test, std::string name)
        : test_(test), name_(std::move(name)) {
      std::array<int, 2> ends{};
      STRATA_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
      pid_ = test.Spawn(command, ends[0], name_);
      ::close(ends[0]);
      input_ = ends[1];
    }
    ~Running() {
      EndInput();
      if (pid_ < 0) return;
      ::kill(pid_, SIGKILL);
      ExitStatus(pid_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    pid_t pid() const { return pid_; }
    std::string out() const { return ReadAll(test_.Path(name_ + "out")); }
    std::string err() const { return ReadAll(test_.Path(name_ + "err")); }
    void Signal(int signal) { ASSERT_EQ(::kill(pid_, signal), 0); }
    void Input(std::string_view text) {
      ASSERT_EQ(::write(input_, text.data(), text.size()),
                static_cast<ssize_t>(text.size()));
    }
    void EndInput() {
      if (input_ >= 0) ::close(input_);
      input_ = -1;
    }
    // Waits for its end.
    int Exit() { return ExitStatus(std::exchange(pid_, -1)); }

   private:
    CliReaderTest& test_;
    const std::string name_;
    pid_t pid_ = -1;
    int input_ = -1;
  };

  // A fault fails the test instead of hanging it.
  static void WaitFor(const std::function<bool()>& condition) {
    const auto limit =
        std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  static void WaitForOutput(const Running& running, const std::string& text) {
    WaitFor([&] { return running.out() == text; });
    EXPECT_EQ(running.out(), text);
  }

  // Every file of the store, with what tells its versions apart.
  std::map<std::string, std::string> Files() {
    std::map<std::string, std::string> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(Data())) {
      files[entry.path()] = fmt::format(
          "{} {}", entry.last_write_time().time_since_epoch().count(),
          entry.is_regular_file() ? ReadAll(entry.path()) : "");
    }
    return files;
  }

  std::unique_ptr<TieredStorage> OpenStore() {
    TieredStorageConfig config;
    config.data_dir = Data();
    auto store = TieredStorage::Open(config);
    STRATA_CHECK(store.ok());
    return *std::move(store);
  }
};

TEST_F(CliReaderTest, EveryReaderWorksBesideAWriter) {
  Running writer(*this, {"produce", "t"}, "writer");
  writer.Input("1\n2\n");
  // Seen once the writer has noted that it is synced.
  WaitFor([&] { return Run({"consume", "t"}).out == "1\n2\n"; });
  for (const Arguments& reader : kReaders) Good(reader);
  EXPECT_THAT(Good({"topics", "list"}), HasSubstr("t "));
  writer.Input("3\n");
  WaitFor([&] { return Run({"consume", "t"}).out == "1\n2\n3\n"; });
  writer.EndInput();
  EXPECT_EQ(writer.Exit(), 0) << writer.err();
  EXPECT_THAT(Good({"verify"}), HasSubstr("all is well"));
}

TEST_F(CliReaderTest, ReadersWriteNothing) {
  Good({"produce", "t"}, Lines(1000));
  Good({"demote", "t", "--to", "cold"});
  Good({"produce", "t"}, Lines(1000));
  Good({"flush"});
  Good({"produce", "t"}, "tail\n");
  const auto before = Files();
  for (const Arguments& reader : kReaders) Good(reader);
  EXPECT_EQ(Files(), before);
}

TEST_F(CliReaderTest, AReaderKeepsNoWriterOut) {
  Good({"produce", "t"}, "1\n");
  Running reader(*this, {"consume", "t", "--follow"}, "reader");
  WaitForOutput(reader, "1\n");
  for (const Arguments& writer : std::vector<Arguments>{
           {"flush"}, {"demote", "t", "--to", "cold"}, {"produce", "t"}}) {
    Good(writer, "2\n");
  }
  WaitForOutput(reader, "1\n2\n");
}

TEST_F(CliReaderTest, ASecondWriterIsToldWhoHoldsTheStore) {
  Running writer(*this, {"produce", "t"}, "writer");
  WaitFor([&] { return Run({"topics", "describe", "t"}).exit == 0; });
  const Ran second = Run({"topics", "create", "u"});
  EXPECT_EQ(second.exit, 1);
  EXPECT_THAT(
      second.err,
      HasSubstr(fmt::format("held by pid {} (strata produce)", writer.pid())));
}

TEST_F(CliReaderTest, FilesThatAWriterDropsAreReadWhereTheyWent) {
  std::string all;
  for (int i = 0; i < 3; ++i) {  // a file each
    const std::string lines = fmt::format("part {}\n", i) + Lines(20'000);
    Good({"produce", "t"}, lines);
    Good({"flush"});
    all += lines;
  }
  // The pipe is full when only the first file has been opened.
  const std::string script = fmt::format(
      "{} consume t -d {} | (read -r first; echo \"$first\"; "
      "until [ -e {} ]; do sleep 0.01; done; cat)",
      kProgram, Data().native(), Path("go").native());
  Running reader({"/bin/sh", "-c", script}, *this, "reader");
  WaitForOutput(reader, "part 0\n");
  Good({"demote", "t", "--to", "cold"});
  WriteAll(Path("go"), "");
  EXPECT_EQ(reader.Exit(), 0);
  EXPECT_EQ(reader.err(), "");
  EXPECT_TRUE(reader.out() == all);
}

TEST_F(CliReaderTest, FollowPrintsWhatIsAppendedLater) {
  Good({"produce", "t", "--partitions", "2", "--partition", "1"}, "1\n");
  Running reader(*this, {"consume", "t", "--follow", "-f", "%p%v "}, "reader");
  WaitForOutput(reader, "11 ");
  Good({"produce", "t", "--partition", "0"}, "2\n");
  WaitForOutput(reader, "11 02 ");
  Running writer(*this, {"produce", "t", "--partition", "1"}, "writer");
  writer.Input("3\n");
  WaitForOutput(reader, "11 02 13 ");
  writer.Signal(SIGKILL);
  writer.Exit();
  Good({"produce", "t", "--partition", "1"}, "4\n");
  WaitForOutput(reader, "11 02 13 14 ");
  reader.Signal(SIGINT);
  EXPECT_EQ(reader.Exit(), 130);
  EXPECT_EQ(reader.err(), "");
}

TEST_F(CliReaderTest, FollowEndsAtCount) {
  Good({"produce", "t"}, "1\n2\n");
  Running reader(*this, {"consume", "t", "--follow", "--count", "3"}, "reader");
  WaitForOutput(reader, "1\n2\n");
  Good({"produce", "t"}, "3\n4\n");
  EXPECT_EQ(reader.Exit(), 0) << reader.err();
  EXPECT_EQ(reader.out(), "1\n2\n3\n");
}

TEST_F(CliReaderTest, FollowFromLatestBeginsAtTheEnd) {
  Good({"produce", "t"}, "old\n");
  Running reader(*this, {"consume", "t", "--follow", "--from", "latest"},
                 "reader");
  WaitFor([&] {
    Good({"produce", "t"}, "new\n");
    return !reader.out().empty();
  });
  EXPECT_THAT(reader.out(), Not(HasSubstr("old")));
}

TEST_F(CliReaderTest, FollowGoesOnWhereATrimmedLogBegins) {
  Good({"produce", "t", "--batch-records", "1"}, "0\n1\n");
  Running reader(*this, {"consume", "t", "--follow"}, "reader");
  WaitForOutput(reader, "0\n1\n");
  reader.Signal(SIGSTOP);
  Good({"produce", "t", "--batch-records", "1"}, "2\n3\n4\n");
  Good({"trim", "t", "--partition", "0", "--before", "4"});
  reader.Signal(SIGCONT);
  WaitForOutput(reader, "0\n1\n4\n");
  EXPECT_EQ(reader.err(),
            "strata: warning: t/0: the log was trimmed and begins at offset 4; "
            "going on there\n");
}

TEST_F(CliReaderTest, FollowPrintsWhatReplacesACutTail) {
  Good({"produce", "t", "--batch-records", "1"}, "0\n1\n2\n");
  Running reader(*this, {"consume", "t", "--follow"}, "reader");
  WaitForOutput(reader, "0\n1\n2\n");
  reader.Signal(SIGSTOP);
  {
    const auto store = OpenStore();
    ASSERT_TRUE(store->TruncateTail({"t", 0}, Offset(1), Epoch(7)).ok());
  }
  Good({"produce", "t"}, "one\ntwo\nthree\nfour\n");
  reader.Signal(SIGCONT);
  WaitForOutput(reader, "0\n1\n2\none\ntwo\nthree\nfour\n");
  EXPECT_THAT(reader.err(), HasSubstr("the log was cut at offset 1"));
}

TEST_F(CliReaderTest, StreamThatNeverPausesIsAppended) {
  Good({"topics", "create", "t"});
  for (const char* batch_records : {"3", "1000000"}) {
    SCOPED_TRACE(batch_records);
    Running reader(*this, {"consume", "t", "--follow", "--from", "latest"},
                   "reader");
    Running writer(*this, {"produce", "t", "--batch-records", batch_records},
                   "writer");
    WaitFor([&] {
      writer.Input("line\n");
      return !reader.out().empty();
    });
  }
}

TEST_F(CliReaderTest, FollowEndsWithItsTopic) {
  for (const bool made_anew : {false, true}) {
    Good({"produce", "t"}, "1\n");
    Running reader(*this, {"consume", "t", "--follow"}, "reader");
    WaitForOutput(reader, "1\n");
    reader.Signal(SIGSTOP);
    Good({"topics", "delete", "t"});
    if (made_anew) Good({"produce", "t"}, "other\n");
    reader.Signal(SIGCONT);
    EXPECT_EQ(reader.Exit(), 1);
    EXPECT_EQ(reader.out(), "1\n");
    EXPECT_EQ(reader.err(), "strata: topic 't' was deleted\n");
  }
}

TEST_F(CliReaderTest, FollowWaitsForNoTopic) {
  Good({"topics", "create", "other"});
  const Ran ran = Run({"consume", "absent", "--follow"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("'absent'"));
}

TEST_F(CliReaderTest, FollowEndsQuietlyWhenNobodyReads) {
  Good({"produce", "t"}, "1\n");
  const std::string script =
      fmt::format("{{ {} consume t --follow -d {}; echo $? >{}; }} | head -1",
                  kProgram, Data().native(), Path("status").native());
  const Ran ran = RunCommand({"/bin/sh", "-c", script});
  EXPECT_EQ(ran.out, "1\n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ReadAll(Path("status")), "0\n");
}

TEST_F(CliReaderTest, ALossIsToldOnce) {
  Good({"produce", "t"}, "needle\n");
  Good({"produce", "u"}, "1\n");
  for (const auto& entry :
       std::filesystem::directory_iterator(Data() / "wal")) {
    std::string bytes = ReadAll(entry.path());
    const size_t at = bytes.find("needle");
    if (at == std::string::npos) continue;
    bytes[at] ^= 1;
    WriteAll(entry.path(), bytes);
  }
  Running reader(*this, {"consume", "u", "--follow"}, "reader");
  WaitForOutput(reader, "1\n");
  const std::string told = reader.err();
  EXPECT_THAT(told, HasSubstr("strata: damage: t/0: "));
  Run({"produce", "u"}, "2\n");
  WaitForOutput(reader, "1\n2\n");
  EXPECT_EQ(reader.err(), told);
}

}  // namespace
}  // namespace strata
