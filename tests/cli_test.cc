// The program `strata`, run as a user runs it.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "strata/tiered_storage.h"
#include "testing/cli_fixture.h"

namespace strata {
namespace {

using std::string_literals::operator""s;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(CliTest, ConsumedIsWhatWasProducedByteForByte) {
  std::string bytes = "\n\nfirst\n\xff\xfe\0binary\r\n\t \n"s;
  bytes += Lines(1000) + "last without newline";
  Good({"produce", "t"}, bytes);
  EXPECT_EQ(Good({"consume", "t"}), bytes + "\n");
}

TEST_F(CliTest, FileIsReadLikeStandardInput) {
  WriteAll(Path("file"), Lines(10));
  Good({"produce", "t", Path("file")});
  EXPECT_EQ(Good({"consume", "t"}), Lines(10));
}

TEST_F(CliTest, EmptyInputMakesAnEmptyTopic) {
  Good({"produce", "t"});
  EXPECT_EQ(Good({"consume", "t"}), "");
  EXPECT_THAT(Good({"topics", "list"}), HasSubstr("t "));
}

TEST_F(CliTest, ProduceGoesOnWhereItEnded) {
  Good({"produce", "t"}, "1\n2\n");
  Good({"produce", "t", "--durability", "memory"}, "3\n");
  EXPECT_EQ(Good({"consume", "t", "-f", "%o=%v "}), "0=1 1=2 2=3 ");
}

TEST_F(CliTest, KeysAreSplitOff) {
  Good({"produce", "t", "--key-separator", "::"}, "k::v\n::v\nnone\nk::a::b\n");
  EXPECT_EQ(Good({"consume", "t", "-f", "%K,%k,%v\\n"}),
            "1,k,v\n0,,v\n-1,,none\n1,k,a::b\n");
}

TEST_F(CliTest, RecordsOfAKeyAreInOnePartition) {
  std::string lines;
  for (int i = 0; i < 300; ++i) lines += fmt::format("key{}:{}\n", i % 3, i);
  Good({"produce", "t", "-K", ":", "--partitions", "8"}, lines);
  for (int key = 0; key < 3; ++key) {
    std::string expected;
    for (int i = key; i < 300; i += 3) expected += fmt::format("{} ", i);
    int found = 0;
    for (int p = 0; p < 8; ++p) {
      const std::string out =
          Good({"consume", "t", "-p", std::to_string(p), "-f", "%k:%v\\n"});
      const std::string prefix = fmt::format("key{}:", key);
      std::string values;
      std::istringstream stream(out);
      for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(prefix)) {
          values += line.substr(prefix.size()) + " ";
        }
      }
      if (values.empty()) continue;
      ++found;
      EXPECT_EQ(values, expected);
    }
    EXPECT_EQ(found, 1) << key;
  }
}

TEST_F(CliTest, BatchesWithoutKeyGoToPartitionsInTurns) {
  Good({"produce", "t", "--partitions", "2", "--batch-records", "2"},
       "a\nb\nc\nd\ne\n");
  EXPECT_EQ(Good({"consume", "t", "-p", "0", "-f", "%v"}), "abe");
  EXPECT_EQ(Good({"consume", "t", "-p", "1", "-f", "%v"}), "cd");
  EXPECT_EQ(Good({"consume", "t", "-f", "%p%v "}), "0a 0b 0e 1c 1d ");
}

TEST_F(CliTest, BatchRecordsBoundsBatches) {
  Good({"produce", "t", "--batch-records", "10"}, Lines(95));
  EXPECT_THAT(Good({"segments", "t"}),
              ContainsRegex("0 +0 +95 +95 +10 +.* h-- +tail"));
}

TEST_F(CliTest, ConsumeBeginsAndEndsWhereAsked) {
  Good({"produce", "t", "--batch-records", "4"}, "0\n1\n2\n3\n4\n5\n6\n7\n8\n");
  const auto consume = [&](Arguments more) {
    more.insert(more.begin(), {"consume", "t", "-f", "%v"});
    return Good(more);
  };
  EXPECT_EQ(consume({"--from", "earliest"}), "012345678");
  EXPECT_EQ(consume({"--from", "latest"}), "");
  EXPECT_EQ(consume({"--from", "2"}), "2345678");
  EXPECT_EQ(consume({"--from", "9", "-p", "0"}), "");
  EXPECT_EQ(consume({"--from", "3", "--count", "3"}), "345");
  EXPECT_EQ(consume({"--count", "0"}), "");
  const Ran beyond = Run({"consume", "t", "-p", "0", "--from", "10"});
  EXPECT_EQ(beyond.exit, 1);
  EXPECT_THAT(beyond.err, HasSubstr("strata: t/0: offset 10"));
}

TEST_F(CliTest, OpaqueBatchesPrintAsOneValue) {
  {
    TieredStorageConfig config;
    config.data_dir = Data();
    auto store = TieredStorage::Open(config);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)
                    ->Append({"t", 0}, {.bytes = AsBytes("any\nbytes"),
                                        .record_count = 3,
                                        .max_timestamp = 5,
                                        .expected_offset = {}})
                    .ok());
  }
  EXPECT_EQ(Good({"consume", "t", "-f", "%o %T %v;"}), "0 5 any\nbytes;");
}

TEST_F(CliTest, TopicsLiveFromCreateToDelete) {
  Good({"topics", "create", "a", "--partitions", "3"});
  Good({"topics", "create", "b"});
  const Ran again = Run({"topics", "create", "a"});
  EXPECT_EQ(again.exit, 1);
  EXPECT_THAT(again.err, HasSubstr("'a'"));
  EXPECT_THAT(Good({"topics", "list"}),
              AllOf(ContainsRegex("a +3 +0"), ContainsRegex("b +1 +0")));

  Good({"produce", "a", "--partition", "2"}, "x\ny\n");
  EXPECT_THAT(Good({"topics", "describe", "a"}),
              ContainsRegex("2 +0 +0 +2 +2 +[0-9]+ +1 +0 +0\n"));

  Good({"topics", "delete", "a"});
  EXPECT_THAT(Good({"topics", "list"}), Not(HasSubstr("a ")));
  EXPECT_EQ(Run({"topics", "delete", "a"}).exit, 1);
  Good({"produce", "a"}, "new\n");
  EXPECT_EQ(Good({"consume", "a"}), "new\n");
}

TEST_F(CliTest, PartitionsMustFitTheTopic) {
  Good({"topics", "create", "t", "--partitions", "2"});
  const Ran more = Run({"produce", "t", "--partitions", "3"}, "x\n");
  EXPECT_EQ(more.exit, 1);
  EXPECT_THAT(more.err, HasSubstr("exists with 2 partitions, not 3"));
  for (const char* command : {"produce", "consume", "segments"}) {
    const Ran ran = Run({command, "t", "--partition", "2"}, "x\n");
    EXPECT_EQ(ran.exit, 1) << command;
    EXPECT_THAT(ran.err, HasSubstr("no partition 2: it has 2")) << command;
  }
}

TEST_F(CliTest, DataIsTheSameInEveryTier) {
  const std::string lines = Lines(5000);
  Good({"produce", "t"}, lines);
  EXPECT_THAT(Good({"segments", "t"}), HasSubstr("h--"));
  Good({"flush", "t"});
  EXPECT_THAT(Good({"segments", "t"}), HasSubstr("-w- "));
  EXPECT_EQ(Good({"consume", "t"}), lines);
  Good({"demote", "t", "--to", "cold"});
  EXPECT_THAT(Good({"segments", "t"}), HasSubstr("--c "));
  EXPECT_EQ(Good({"consume", "t"}), lines);
  EXPECT_THAT(Good({"stats"}), ContainsRegex("cold +1 +50 +[0-9.]+ KiB"));
  EXPECT_THAT(Good({"stats", "--prometheus"}),
              HasSubstr("\nstrata_tier_batches{tier=\"cold\"} 50\n"));
  Good({"promote", "t", "--to", "warm"});
  EXPECT_THAT(Good({"segments", "t"}), HasSubstr("-wc "));
  EXPECT_EQ(Good({"consume", "t"}), lines);
  Good({"promote", "t", "--to", "hot"});
  EXPECT_THAT(Good({"verify"}), HasSubstr("all is well"));
}

TEST_F(CliTest, FlushWithoutTopicTakesAll) {
  Good({"produce", "a"}, "1\n");
  Good({"produce", "b"}, "2\n");
  Good({"flush"});
  for (const char* topic : {"a", "b"}) {
    EXPECT_THAT(Good({"segments", topic}), HasSubstr("-w- ")) << topic;
  }
}

TEST_F(CliTest, VerifyNamesACorruptWarmFile) {
  Good({"produce", "t"}, Lines(5000));
  Good({"demote", "t", "--to", "warm"});
  const std::filesystem::path file = CorruptLargest(Data() / "warm");
  const Ran ran = Run({"verify"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out + ran.err, HasSubstr(file.filename()));
}

TEST_F(CliTest, VerifyNamesACorruptColdObject) {
  Good({"produce", "t"}, Lines(5000));
  Good({"demote", "t", "--to", "cold"});
  const std::filesystem::path file = CorruptLargest(Data() / "cold");
  const Ran ran = Run({"verify"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out + ran.err, HasSubstr(file.filename()));
  const Ran consume = Run({"consume", "t"});
  EXPECT_EQ(consume.exit, 1);
  EXPECT_THAT(consume.err, HasSubstr("strata: "));
}

TEST_F(CliTest, WrongUsageIsTwo) {
  for (const Arguments& wrong :
       std::vector<Arguments>{{},
                              {"no-such-command"},
                              {"produce"},
                              {"consume"},
                              {"consume", "t", "--no-such-option"},
                              {"consume", "t", "--from", "yesterday"},
                              {"consume", "t", "--from", "-1"},
                              {"consume", "t", "-f", "%z"},
                              {"consume", "t", "--partition", "-1"},
                              {"consume", "t", "--count", "x"},
                              {"produce", "t", "--durability", "paper"},
                              {"produce", "t", "--partitions", "0"},
                              {"produce", "t", "--batch-records", "0"},
                              {"topics"},
                              {"topics", "create"},
                              {"demote", "t"},
                              {"demote", "t", "--to", "hot"},
                              {"promote", "t", "--to", "cold"},
                              {"repair", "t"},
                              {"demo", "--size", "1"},
                              {"stats", "--set", "no_such_setting=1"},
                              {"stats", "--set", "wal_file_bytes=much"},
                              {"stats", "--set", "cold_storage.type=tape"}}) {
    const Ran ran = Run(wrong);
    EXPECT_EQ(ran.exit, 2) << ::testing::PrintToString(wrong);
    EXPECT_THAT(ran.err, HasSubstr("strata: "));
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_THAT(Run({"no-such-command"}).err, HasSubstr("'no-such-command'"));
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliTest, WhatWasMeantIsGuessed) {
  EXPECT_THAT(Run({"prodce", "t"}).err,
              HasSubstr("no command 'prodce'; did you mean 'produce'?"));
  EXPECT_THAT(Run({"topics", "lst"}).err,
              HasSubstr("no command 'lst'; did you mean 'list'?"));
  EXPECT_THAT(Run({"consume", "t", "--folow"}).err,
              HasSubstr("did you mean '--follow'?"));
  EXPECT_THAT(Run({"stats", "--set", "wal_fle_bytes=1"}).err,
              HasSubstr("did you mean 'wal_file_bytes'?"));
  EXPECT_THAT(Run({"xyz"}).err, Not(HasSubstr("did you mean")));
}

TEST_F(CliTest, BadTopicNamesAreRefused) {
  for (const char* name : {"", ".", "..", "a/b", "../x", "a b", "\xc3\xa4"}) {
    for (const Arguments& command :
         std::vector<Arguments>{{"produce", name},
                                {"consume", name},
                                {"topics", "create", name}}) {
      const Ran ran = Run(command, "x\n");
      EXPECT_EQ(ran.exit, 2) << ::testing::PrintToString(command);
      EXPECT_THAT(ran.err, HasSubstr("topic name"));
    }
  }
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliTest, UnknownTopicIsToldByName) {
  Good({"topics", "create", "other"});
  for (const Arguments& command :
       std::vector<Arguments>{{"consume", "absent"},
                              {"segments", "absent"},
                              {"topics", "describe", "absent"},
                              {"topics", "delete", "absent"},
                              {"flush", "absent"},
                              {"demote", "absent", "--to", "cold"},
                              {"promote", "absent", "--to", "warm"},
                              {"repair", "absent", "--partition", "0"}}) {
    const Ran ran = Run(command);
    EXPECT_EQ(ran.exit, 1) << ::testing::PrintToString(command);
    EXPECT_THAT(ran.err, AllOf(HasSubstr("strata: "), HasSubstr("absent")));
  }
}

TEST_F(CliTest, ReadingDoesNotCreateAStore) {
  const Ran ran = Run({"consume", "t"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("there is no store in " + Data().native()));
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliTest, InputThatIsNoFileIsNamedAndMakesNoStore) {
  for (const auto& path : {Path("absent"), dir_.path()}) {
    const Ran ran = Run({"produce", "t", path});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_THAT(ran.err, HasSubstr(path.native()));
  }
  EXPECT_FALSE(std::filesystem::exists(Data()));
}

TEST_F(CliTest, SmallWalFilesAndBatchesTakeAnyLines) {
  const std::string lines = Lines(30'000);
  Good({"produce", "t", "--set", "wal_file_bytes=1MiB", "--set",
        "max_batch_bytes=64KiB", "--batch-records", "10000"},
       lines);
  EXPECT_TRUE(Good({"consume", "t"}) == lines);
}

TEST_F(CliTest, WithoutACommandAllAreNamed) {
  EXPECT_THAT(RunCommand({kProgram}).err,
              HasSubstr("a command is required, one of produce, consume, "));
  const Ran topics = RunCommand({kProgram, "topics"});
  EXPECT_THAT(topics.err, AllOf(HasSubstr("one of create, list, "),
                                HasSubstr("strata topics --help tells more")));
}

TEST_F(CliTest, ReaderThatGoesAwayIsNoError) {
  Good({"produce", "t"}, Lines(50'000));
  const std::string command =
      fmt::format("{{ {} consume t --data-dir {}; echo $? >{}; }} | head -1",
                  kProgram, Data().native(), Path("status").native());
  const Ran ran = RunCommand({"/bin/sh", "-c", command});
  EXPECT_EQ(ran.out, "line 0 \n");
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ReadAll(Path("status")), "0\n");
}

TEST_F(CliTest, FullOutputIsAnError) {
  Good({"produce", "t"}, "x\n");
  const std::string command = fmt::format(
      "exec {} consume t --data-dir {} >/dev/full", kProgram, Data().native());
  const Ran ran = RunCommand({"/bin/sh", "-c", command});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("standard output: No space left on device"));
}

TEST_F(CliTest, InterruptedProduceKeepsWhatItHasRead) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t pid = Spawn(WithData({"produce", "t"}), ends[0]);
  ::close(ends[0]);
  // More than a pipe holds: once it is written, the program has begun to read.
  const std::string lines = Lines(20'000);
  for (std::string_view rest = lines; !rest.empty();) {
    const ssize_t written = ::write(ends[1], rest.data(), rest.size());
    ASSERT_GT(written, 0);
    rest.remove_prefix(static_cast<size_t>(written));
  }
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  EXPECT_EQ(ExitStatus(pid), 130);
  ::close(ends[1]);

  const std::string kept = Good({"consume", "t"});
  EXPECT_TRUE(lines.starts_with(kept));
  EXPECT_GT(kept.size(), lines.size() / 2);
}

TEST_F(CliTest, HelpHasExamplesAndNeedsNoStore) {
  const Ran all = RunCommand({kProgram, "--help"});
  EXPECT_EQ(all.exit, 0);
  for (const char* name :
       {"produce", "consume", "topics", "segments", "stats", "flush", "demote",
        "promote", "verify", "repair", "trim", "config", "demo"}) {
    EXPECT_THAT(all.out, HasSubstr(name));
    if (std::string(name) == "topics") continue;
    const Ran one = RunCommand({kProgram, name, "--help"});
    EXPECT_EQ(one.exit, 0) << name;
    EXPECT_THAT(one.out, HasSubstr("Examples:")) << name;
    EXPECT_THAT(one.out, HasSubstr("--data-dir")) << name;
  }
  EXPECT_THAT(RunCommand({kProgram, "--version"}).out,
              ContainsRegex("^strata [0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST_F(CliTest, DemoPassesTwiceAndReadsEveryTier) {
  WriteAll(Path("file.txt"), Lines(10'000));
  const Arguments demo = {"demo", Path("file.txt"), "--size", "6"};
  const std::string first = Good(demo);
  EXPECT_THAT(first, HasSubstr("each equal to its input"));
  for (const char* tier : {"hot", "warm", "cold"}) {
    EXPECT_THAT(first, ContainsRegex(fmt::format(
                           "{} +[1-9][0-9]* +.* +[0-9.]+ (us|ms|s)\n", tier)))
        << first;
  }
  EXPECT_THAT(first, HasSubstr(", 0 failed."));

  const std::string second = Good(demo);
  EXPECT_THAT(second, HasSubstr("of 2 runs"));
  EXPECT_THAT(second, HasSubstr("each equal to its input"));
  EXPECT_THAT(Good({"verify"}), HasSubstr("all is well"));
}

TEST_F(CliTest, StatsAreJsonByEitherName) {
  Good({"produce", "logs"}, Lines(10));
  for (const Arguments& stats :
       {Arguments{"stats", "--json"}, Arguments{"stats", "-o", "json"}}) {
    EXPECT_THAT(Good(stats), AllOf(testing::StartsWith("{"),
                                   HasSubstr("\"hot_unflushed_bytes\"")));
  }
}

TEST_F(CliTest, BucketAloneBringsTheLogBack) {
  const std::string cold = "file://" + Path("bucket").native();
  const std::string lines = Lines(3000);
  Good({"topics", "create", "logs", "--partitions", "2", "--cold", cold,
        "--config", "warm_max_age=7h"});
  Good({"produce", "logs", "--partition", "1", "--cold", cold}, lines);
  Good({"demote", "logs", "--to", "cold", "--cold", cold});
  std::filesystem::remove_all(Data());
  EXPECT_THAT(Good({"ls", cold}),
              AllOf(HasSubstr("TOPIC"), ContainsRegex("logs +1 +0 +3000 ")));
  EXPECT_FALSE(std::filesystem::exists(Data())) << "only looked at";
  EXPECT_THAT(Good({"restore", "--from", cold}),
              HasSubstr("1 topic of 2 partitions: "));
  EXPECT_EQ(Good({"consume", "logs", "--cold", cold}), lines);
  EXPECT_THAT(Good({"topics", "describe", "logs", "--cold", cold}),
              HasSubstr("warm_max_age"));
  Good({"produce", "logs", "--partition", "1", "--cold", cold}, "more\n");
  EXPECT_EQ(Good({"consume", "logs", "--cold", cold}), lines + "more\n");
  EXPECT_THAT(Good({"verify", "--cold", cold}), HasSubstr("all is well"));
  // Not over a store.
  const Ran again = Run({"restore", "--from", cold});
  EXPECT_EQ(again.exit, 1);
  EXPECT_THAT(again.err, HasSubstr("is a store already"));
}

TEST_F(CliTest, RestoreFromNothingSaysWhatIsMissing) {
  const Ran absent =
      Run({"restore", "--from", "file://" + Path("nowhere").native()});
  EXPECT_EQ(absent.exit, 1);
  EXPECT_THAT(absent.err,
              AllOf(HasSubstr("nowhere"), HasSubstr("no such directory")));
  std::filesystem::create_directory(Path("empty"));
  const Ran empty =
      Run({"restore", "--from", "file://" + Path("empty").native()});
  EXPECT_EQ(empty.exit, 1);
  EXPECT_THAT(empty.err, HasSubstr("no object store/topics"));
  EXPECT_THAT(Run({"ls", "disabled:"}).err, HasSubstr("disabled"));
  EXPECT_EQ(Run({"ls", "nonsense"}).exit, 1);
}

TEST_F(CliTest, DemoNoticesChangedData) {
  WriteAll(Path("file.txt"), Lines(10'000));
  const Arguments demo = {"demo", Path("file.txt"), "--size", "6"};
  Good(demo);
  CorruptLargest(Data() / "cold");
  const Ran ran = Run(demo);
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.err, HasSubstr("differ"));
}

}  // namespace
}  // namespace strata
