// CliTest: the program `strata`, run as a user runs it, on a store of its own.
// For the tests in tests/, which build the program.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "testing/temp_dir.h"

extern char** environ;

namespace strata {

inline constexpr char kProgram[] = STRATA_BINARY_DIR "/strata";

inline std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteAll(const std::filesystem::path& path,
                     std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline int ExitStatus(pid_t pid) {
  int status = 0;
  STRATA_CHECK(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

struct Ran {
  int exit = -1;
  std::string out;
  std::string err;
};

// A directory with a store in it, and commands that work on it.
class CliTest : public ::testing::Test {
 protected:
  using Arguments = std::vector<std::string>;

  std::filesystem::path Path(const std::string& name) const {
    return dir_.path() / name;
  }
  std::filesystem::path Data() const { return Path("data"); }

  // Starts `command` with its input from the descriptor. What it prints is in
  // the files "out" and "err", behind the prefix.
  pid_t Spawn(const Arguments& command, int input,
              const std::string& prefix = "") {
    std::vector<char*> argv;
    for (const std::string& a : command) {
      argv.push_back(const_cast<char*>(a.c_str()));
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    const std::string out = Path(prefix + "out"), err = Path(prefix + "err");
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(),
                                       kFlags, 0600);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(),
                                       kFlags, 0600);
    pid_t pid = -1;
    STRATA_CHECK(::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(),
                               environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  Arguments WithData(Arguments arguments) const {
    arguments.insert(arguments.begin(), kProgram);
    arguments.insert(arguments.end(), {"--data-dir", Data()});
    return arguments;
  }

  // Runs strata on the store.
  Ran Run(const Arguments& arguments, std::string_view input = {}) {
    return RunCommand(WithData(arguments), input);
  }

  Ran RunCommand(const Arguments& command, std::string_view input = {}) {
    WriteAll(Path("in"), input);
    const int fd = ::open(Path("in").c_str(), O_RDONLY | O_CLOEXEC);
    const pid_t pid = Spawn(command, fd);
    ::close(fd);
    const int exit = ExitStatus(pid);
    return {exit, ReadAll(Path("out")), ReadAll(Path("err"))};
  }

  // The same, where anything but success fails the test.
  std::string Good(const Arguments& arguments, std::string_view input = {}) {
    const Ran ran = Run(arguments, input);
    EXPECT_EQ(ran.exit, 0) << ::testing::PrintToString(arguments) << ran.err;
    return ran.out;
  }

  // Flips a bit in the middle of the largest file below `directory`.
  std::filesystem::path CorruptLargest(const std::filesystem::path& directory) {
    std::filesystem::path largest;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory)) {
      if (entry.is_regular_file() &&
          (largest.empty() ||
           entry.file_size() > std::filesystem::file_size(largest))) {
        largest = entry.path();
      }
    }
    STRATA_CHECK(!largest.empty());
    std::string bytes = ReadAll(largest);
    bytes[bytes.size() / 2] ^= 0x10;
    WriteAll(largest, bytes);
    return largest;
  }

  TempDir dir_;
};

// `count` lines, each of its own.
inline std::string Lines(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += fmt::format("line {} {}\n", i, std::string(i % 97, 'x'));
  }
  return text;
}

}  // namespace strata
