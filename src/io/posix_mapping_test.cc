#include "io/posix_mapping.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>
#include <vector>

#include "io/sigbus_guard.h"
#include "io/unique_fd.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

constexpr int kHandled = 42;

// A file of 'x' pages that somebody else may cut short.
class PosixMappingTest : public testing::Test {
 protected:
  UniqueFd OpenPages(size_t pages) {
    std::ofstream(path_) << std::string(pages * PageBytes(), 'x');
    return UniqueFd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  }
  std::shared_ptr<Mapping> MapPages(size_t pages) {
    UniqueFd fd = OpenPages(pages);
    return *MapFile(fd.get(), pages * PageBytes(), path_.string());
  }
  void CutTo(size_t bytes) { std::filesystem::resize_file(path_, bytes); }
  static std::byte FirstOfPage(const Mapping& mapping, size_t page) {
    return mapping.bytes()[page * PageBytes()];
  }
  static bool PageDamaged(const Mapping& mapping, size_t page) {
    return mapping.DamagedIn(page * PageBytes(), PageBytes());
  }

  TempDir dir_;
  const std::filesystem::path path_ = dir_.path() / "file";
};

TEST_F(PosixMappingTest, D24FileCutBeforeTheReadShowsZerosAndDamage) {
  auto mapping = MapPages(3);
  CutTo(0);
  EXPECT_FALSE(mapping->damaged());  // nobody has touched a page yet
  for (size_t page = 0; page < 3; ++page) {
    EXPECT_EQ(FirstOfPage(*mapping, page), std::byte{0});
    EXPECT_TRUE(PageDamaged(*mapping, page));
  }
  EXPECT_TRUE(mapping->damaged());
}

TEST_F(PosixMappingTest, D24FileCutUnderAHeldMapDamagesOnlyLostPages) {
  auto mapping = MapPages(200);
  for (size_t page = 0; page < 200; ++page) {
    EXPECT_EQ(FirstOfPage(*mapping, page), std::byte{'x'});
  }
  CutTo(100 * PageBytes());
  for (size_t page = 0; page < 200; page += 3) {
    bool lost = page >= 100;
    EXPECT_EQ(FirstOfPage(*mapping, page), lost ? std::byte{0} : std::byte{'x'})
        << page;
    EXPECT_EQ(PageDamaged(*mapping, page), lost) << page;
  }
  EXPECT_FALSE(PageDamaged(*mapping, 101));  // lost, but not touched
  EXPECT_FALSE(mapping->DamagedIn(0, 100 * PageBytes()));
  EXPECT_TRUE(mapping->DamagedIn(0, 103 * PageBytes()));
}

TEST_F(PosixMappingTest, DamageIsOfOneMapNotOfItsNeighbours) {
  auto intact = MapPages(2);
  std::filesystem::remove(path_);
  auto cut = MapPages(2);
  CutTo(0);
  EXPECT_EQ(FirstOfPage(*cut, 1), std::byte{0});
  EXPECT_TRUE(cut->damaged());
  EXPECT_EQ(FirstOfPage(*intact, 1), std::byte{'x'});
  EXPECT_FALSE(intact->damaged());
}

TEST_F(PosixMappingTest, DamagedInClampsToTheFile) {
  auto mapping = MapPages(2);
  CutTo(PageBytes());
  EXPECT_EQ(FirstOfPage(*mapping, 1), std::byte{0});
  EXPECT_TRUE(mapping->DamagedIn(0, ~uint64_t{0}));
  EXPECT_TRUE(mapping->DamagedIn(2 * PageBytes() - 1, ~uint64_t{0}));
  EXPECT_FALSE(mapping->DamagedIn(2 * PageBytes(), 1));
  EXPECT_FALSE(mapping->DamagedIn(~uint64_t{0}, ~uint64_t{0}));
  EXPECT_FALSE(mapping->DamagedIn(PageBytes(), 0));
}

TEST_F(PosixMappingTest, LastPartOfAPageIsGuarded) {
  UniqueFd fd = OpenPages(2);
  auto mapping = *MapFile(fd.get(), PageBytes() + 10, "file");
  EXPECT_EQ(mapping->bytes().size(), PageBytes() + 10);
  CutTo(0);
  EXPECT_EQ(mapping->bytes().back(), std::byte{0});
  EXPECT_TRUE(mapping->DamagedIn(PageBytes() + 9, 1));
}

TEST_F(PosixMappingTest, ThreadsThatLoseTheSamePagesAllLiveOn) {
  auto mapping = MapPages(64);
  CutTo(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t page = 0; page < 64; ++page) {
        EXPECT_EQ(FirstOfPage(*mapping, page), std::byte{0});
        EXPECT_TRUE(PageDamaged(*mapping, page));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PosixMappingTest, FaultWhileOtherMapsComeAndGo) {
  UniqueFd other(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  auto mapping = MapPages(256);
  CutTo(0);
  std::thread churn([&] {
    for (int i = 0; i < 2000; ++i) {
      EXPECT_TRUE(MapFile(other.get(), PageBytes(), "exe").ok());
    }
  });
  for (size_t page = 0; page < 256; ++page) {
    EXPECT_EQ(FirstOfPage(*mapping, page), std::byte{0});
  }
  churn.join();
}

TEST_F(PosixMappingTest, MapsBeyondTheLimitAreRefusedAndSlotsReused) {
  UniqueFd fd = OpenPages(1);
  std::vector<std::shared_ptr<Mapping>> held;
  Status refused;
  while (refused.ok()) {
    ASSERT_LE(held.size(), kMaxGuardedRanges);
    auto mapping = MapFile(fd.get(), PageBytes(), "file");
    refused = mapping.status();
    if (refused.ok()) held.push_back(*std::move(mapping));
  }
  EXPECT_EQ(refused.code(), StatusCode::kIoError);
  EXPECT_THAT(refused.message(), testing::HasSubstr("map file: "));
  held.pop_back();
  EXPECT_TRUE(MapFile(fd.get(), PageBytes(), "file").ok());
  CutTo(0);
  EXPECT_EQ(FirstOfPage(*held.back(), 0), std::byte{0});
  EXPECT_TRUE(held.back()->damaged());
  EXPECT_FALSE(held.front()->damaged());
}

TEST_F(PosixMappingTest, SystemThatRefusesTheMapIsAnIoError) {
  UniqueFd directory(::open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY));
  auto mapping = MapFile(directory.get(), 1, "dir");
  EXPECT_EQ(mapping.status().code(), StatusCode::kIoError);
  EXPECT_THAT(mapping.status().message(), testing::HasSubstr("map dir: "));
}

// Death tests in a process of its own each, where no map was taken before and
// thus the handler "before" can be chosen.
class ForeignSigbusDeathTest : public PosixMappingTest {
 protected:
  ForeignSigbusDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  // Touches a lost page of a map that is not ours.
  void FaultElsewhere() {
    UniqueFd fd = OpenPages(1);
    const volatile char* foreign = static_cast<const char*>(
        ::mmap(nullptr, PageBytes(), PROT_READ, MAP_SHARED, fd.get(), 0));
    CutTo(0);
    (void)foreign[0];
  }
  // A map of ours, with a page lost and replaced.
  std::shared_ptr<Mapping> UseGuard() {
    auto mapping = MapPages(1);
    CutTo(0);
    if (FirstOfPage(*mapping, 0) != std::byte{0}) ::_exit(1);
    return mapping;
  }
  static void HandleBefore(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    ::sigaction(SIGBUS, &action, nullptr);
  }
};

TEST_F(ForeignSigbusDeathTest, GoesToTheHandlerBefore) {
  EXPECT_EXIT(
      {
        HandleBefore([](int) { ::_exit(kHandled); });
        auto mapping = UseGuard();
        FaultElsewhere();
      },
      testing::ExitedWithCode(kHandled), "");
}

TEST_F(ForeignSigbusDeathTest, GoesToTheHandlerBeforeWithItsAddress) {
  EXPECT_EXIT(
      {
        struct sigaction action = {};
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = [](int, siginfo_t* info, void*) {
          ::_exit(info->si_addr != nullptr ? kHandled : 1);
        };
        ::sigaction(SIGBUS, &action, nullptr);
        auto mapping = UseGuard();
        FaultElsewhere();
      },
      testing::ExitedWithCode(kHandled), "");
}

TEST_F(ForeignSigbusDeathTest, KillsTheProcessWhenThereIsNoHandler) {
  EXPECT_EXIT(
      {
        HandleBefore(SIG_DFL);
        auto mapping = UseGuard();
        FaultElsewhere();
      },
      testing::KilledBySignal(SIGBUS), "");
}

TEST_F(ForeignSigbusDeathTest, KillsTheProcessWhenTheFaultWasIgnored) {
  EXPECT_EXIT(
      {
        HandleBefore(SIG_IGN);
        auto mapping = UseGuard();
        ::raise(SIGBUS);  // this one is ignored
        FaultElsewhere();
      },
      testing::KilledBySignal(SIGBUS), "");
}

TEST_F(ForeignSigbusDeathTest, SentSignalIsNotTakenForAFaultInOurMap) {
  EXPECT_EXIT(
      {
        HandleBefore(SIG_DFL);
        auto mapping = MapPages(1);
        siginfo_t info = {};
        info.si_signo = SIGBUS;
        info.si_code = SI_QUEUE;
        info.si_addr = const_cast<std::byte*>(mapping->bytes().data());
        ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), ::gettid(), SIGBUS, &info);
      },
      testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace strata
