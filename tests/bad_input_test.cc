// What bad input gets, through the public API on real files: an error that
// names what and where, the rest stays usable, nothing acknowledged is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "strata/tiered_storage.h"
#include "testing/temp_dir.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BadInput : public ::testing::Test {
 protected:
  BadInput() {
    config_ = TieredStorageConfig::Testing(dir_.path() / "store");
    config_.reserve_bytes = 64 * kKiB;
  }

  void Open() {
    auto opened = TieredStorage::Open(config_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    storage_ = *std::move(opened);
  }

  Status OpenStatus() { return TieredStorage::Open(config_).status(); }

  Status Append(const TopicPartition& tp, std::string_view text) {
    AppendRequest request;
    request.bytes = AsBytes(text);
    return storage_->Append(tp, request).status();
  }

  std::string ReadText(const TopicPartition& tp, uint64_t offset = 0) {
    std::string all;
    while (true) {
      const auto batches = storage_->Read(tp, Offset(offset));
      if (!batches.ok()) return all + batches.status().ToString();
      if (batches->empty()) return all;
      for (const BatchView& batch : *batches) {
        all += std::string(AsText(batch.bytes())) + ",";
        offset = batch.end_offset().value();
      }
    }
  }

  // The only file below `folder` whose name ends so.
  fs::path FileIn(const char* folder, std::string_view ending) {
    fs::path found;
    for (const auto& entry :
         fs::recursive_directory_iterator(config_.data_dir / folder)) {
      if (entry.is_regular_file() && entry.path().string().ends_with(ending)) {
        EXPECT_TRUE(found.empty()) << found << " and " << entry.path();
        found = entry.path();
      }
    }
    EXPECT_FALSE(found.empty()) << folder;
    return found;
  }

  // Flips a bit of the first place where the file holds `text`.
  static void FlipIn(const fs::path& file, std::string_view text) {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(f), {}};
    const size_t at = content.find(text);
    ASSERT_NE(at, std::string::npos) << file;
    f.clear();
    f.seekp(static_cast<std::streamoff>(at));
    f.put(static_cast<char>(content[at] ^ 1));
  }

  // Gives a manifest file the next format version, with a right checksum
  // (docs/formats/manifest.md).
  static void MakeNewer(const fs::path& file) {
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(f), {}};
    const auto field = [&](size_t at) {
      return reinterpret_cast<std::byte*>(content.data() + at);
    };
    StoreLittle<uint32_t>(field(12), LoadLittle<uint32_t>(field(12)) + 1);
    const auto length = LoadLittle<uint32_t>(field(16));
    StoreLittle<uint32_t>(field(8),
                          Crc32c(AsBytes(content).subspan(12, length - 12)));
    f.clear();
    f.seekp(0);
    f.write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  const TempDir dir_;
  TieredStorageConfig config_;
  std::unique_ptr<TieredStorage> storage_;
};

TEST_F(BadInput, WrongOffsetsAreRefusedWithTheLogsEnd) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "a").ok());
  const auto write = [&](uint64_t base, uint64_t end) {
    return storage_->Write({"t", 0}, Offset(base), Offset(end), AsBytes("x"))
        .status();
  };
  EXPECT_EQ(write(5, 5).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(write(5, 2).message(), HasSubstr("[5, 2)"));
  const Status overlap = write(0, 2);
  EXPECT_EQ(overlap.code(), StatusCode::kConflict);
  EXPECT_THAT(overlap.message(), HasSubstr("ends at 1"));
  const Status above = storage_->Read({"t", 0}, Offset(9)).status();
  EXPECT_EQ(above.code(), StatusCode::kOutOfRange);
  EXPECT_THAT(above.message(), HasSubstr("t/0"));
  EXPECT_EQ(ReadText({"t", 0}), "a,");
}

TEST_F(BadInput, OversizedAndEmptyBatchesAreRefused) {
  Open();
  const Status large =
      Append({"t", 0}, std::string(config_.max_batch_bytes + 1, 'x'));
  EXPECT_EQ(large.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(large.message(), HasSubstr("max_batch_bytes"));
  EXPECT_EQ(Append({"t", 0}, "").code(), StatusCode::kInvalidArgument);
  AppendRequest broken;
  broken.bytes = AsBytes("no Kafka batch");
  broken.format = BatchFormat::kKafkaV2;
  EXPECT_FALSE(storage_->Append({"t", 0}, broken).ok());
}

TEST_F(BadInput, BadTopicNamesTouchNoPath) {
  Open();
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".."),
        std::string("../../etc"), std::string("a/b"), std::string("a b"),
        std::string(250, 'x'), std::string("nul\0l", 5)}) {
    EXPECT_EQ(storage_->CreateTopic(name, 1).status().code(),
              StatusCode::kInvalidArgument)
        << name;
    EXPECT_EQ(Append({name, 0}, "x").code(), StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_TRUE(storage_->ListTopics()->empty());
  EXPECT_EQ(storage_->CreateTopic("t", 0).status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(BadInput, UnknownTopicAndPartitionAreNamed) {
  Open();
  ASSERT_TRUE(storage_->CreateTopic("t", 2).ok());
  EXPECT_THAT(storage_->Read({"nowhere", 0}, Offset(0)).status().message(),
              HasSubstr("nowhere"));
  const Status status = Append({"t", 2}, "x");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("2 partitions"));
}

TEST_F(BadInput, ImpossibleConfigNamesFieldAndValue) {
  config_.warm_high_watermark = 1.5;
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("warm_high_watermark"));
  EXPECT_THAT(status.message(), HasSubstr("1.5"));
  EXPECT_FALSE(fs::exists(config_.data_dir));
}

TEST_F(BadInput, ForeignDirectoryIsLeftAlone) {
  fs::create_directories(config_.data_dir);
  std::ofstream(config_.data_dir / "thesis.tex") << "precious";
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("thesis.tex"));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(config_.data_dir)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ElementsAre("thesis.tex"));  // and nothing of ours
}

TEST_F(BadInput, StrangeFileInAStoreDoesNoHarm) {
  fs::create_directories(config_.data_dir / "lost+found");  // a mount point
  Open();
  ASSERT_TRUE(Append({"t", 0}, "precious").ok());
  storage_.reset();
  std::ofstream(config_.data_dir / "notes.txt") << "mine";
  Open();
  const auto batches = storage_->Read({"t", 0}, Offset(0));
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(AsText(batches->front().bytes()), "precious");
  EXPECT_TRUE(fs::exists(config_.data_dir / "notes.txt"));
}

TEST_F(BadInput, LogWithoutAManifestIsNotTakenForANewStore) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "precious").ok());
  storage_.reset();
  fs::rename(config_.data_dir / "manifest", config_.data_dir / "../manifest");
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Status status = OpenStatus();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
    EXPECT_THAT(status.message(), HasSubstr("manifest"));
  }
  fs::rename(config_.data_dir / "../manifest", config_.data_dir / "manifest");
  Open();
  EXPECT_EQ(ReadText({"t", 0}), "precious,");
}

TEST_F(BadInput, StoreOfANewerFormatIsRefusedAndLeftAlone) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "precious").ok());
  storage_.reset();
  for (const auto& entry :
       fs::directory_iterator(config_.data_dir / "manifest")) {
    if (entry.path().filename().string().starts_with("MANIFEST-")) {
      MakeNewer(entry.path());
    }
  }
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kUnsupported) << status;
  EXPECT_THAT(status.message(), HasSubstr("newer version"));
}

TEST_F(BadInput, UnreadableDirectoryIsNamed) {
  if (geteuid() == 0) {
    // Root may read everything: what takes its place is a name that leads
    // nowhere.
    fs::create_symlink(config_.data_dir.string() + "-absent", config_.data_dir);
  } else {
    fs::create_directories(config_.data_dir);
    fs::permissions(config_.data_dir, fs::perms::none);
  }
  const Status status = OpenStatus();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr(config_.data_dir.string()));
  if (geteuid() != 0) fs::permissions(config_.data_dir, fs::perms::all);
}

TEST_F(BadInput, DirectoryThatIsAFileIsNamed) {
  std::ofstream(config_.data_dir.string()) << "a file";
  const Status status = OpenStatus();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr(config_.data_dir.string()));
}

TEST_F(BadInput, AbsentStoreIsNotCreatedAgainstTheWish) {
  config_.create_if_missing = false;
  EXPECT_EQ(OpenStatus().code(), StatusCode::kNotFound);
}

TEST_F(BadInput, SecondOpenNamesTheHolder) {
  Open();
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kConflict);
  EXPECT_THAT(status.message(), HasSubstr(std::to_string(getpid())));
}

TEST_F(BadInput, WarmDirectoryOfAnotherStoreIsRefused) {
  Open();
  storage_.reset();
  config_.warm_tier_path = config_.data_dir / "warm";
  config_.data_dir = dir_.path() / "other";
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("another store"));
}

TEST_F(BadInput, ImpossibleBucketsAreRefusedAtOpen) {
  const auto s3 = [](const char* change) {
    auto url = ParseColdUrl(std::string("s3://bucket?") + change);
    EXPECT_TRUE(url.ok()) << url.status();
    return *url;
  };
  cold::S3 half = std::get<cold::S3>(s3(""));
  half.access_key = "only this";
  const auto azure = [](const char* key) {
    return cold::AzureBlob{.account = "a", .container = "c", .access_key = key};
  };
  cold::AzureBlob two_rights = azure("a2V5");
  two_rights.sas_token = "sig=s";
  cold::AzureBlob odd_container = azure("a2V5");
  odd_container.container = "Not/OneName";
  const std::vector<std::pair<ColdStorageConfig, std::string>> cases = {
      {azure("no base64"), "base64"},
      {two_rights, "only one of them"},
      {odd_container, "Not/OneName"},
      {half, "secret key"},
      {s3("endpoint=ftp://host"), "ftp://host"},
      {s3("sse=rot13"), "rot13"},
      {cold::Gcs{.bucket = "b", .access_key = {}, .secret_key = {}},
       "GOOGLE_HMAC_ACCESS_KEY_ID"}};
  for (const auto& [cold, part] : cases) {
    config_.cold_storage = cold;
    const Status status = OpenStatus();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(status.message(), HasSubstr(part));
  }
}

TEST_F(BadInput, FlippedByteInASegmentIsReportedAndTheRestReads) {
  Open();
  ASSERT_TRUE(Append({"good", 0}, "fine").ok());
  ASSERT_TRUE(Append({"bad", 0}, "needle-in-the-segment").ok());
  ASSERT_TRUE(storage_->DemoteTo({"good", 0}, StorageTier::kWarm).ok());
  ASSERT_TRUE(storage_->DemoteTo({"bad", 0}, StorageTier::kWarm).ok());
  storage_.reset();
  for (const auto& entry : fs::directory_iterator(config_.data_dir / "warm")) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    if (content.find("needle-in-the-segment") != std::string::npos) {
      FlipIn(entry.path(), "needle-in-the-segment");
    }
  }
  Open();
  const Status status = storage_->Read({"bad", 0}, Offset(0)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(".seg"));
  EXPECT_EQ(ReadText({"good", 0}), "fine,");
  const auto report = storage_->Verify();
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->findings.empty());
}

TEST_F(BadInput, DamagedWarmCopyIsReadFromCold) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "needle-in-two-tiers").ok());
  ASSERT_TRUE(storage_->DemoteTo({"t", 0}, StorageTier::kCold).ok());
  ASSERT_TRUE(storage_->PromoteTo({"t", 0}, StorageTier::kWarm).ok());
  storage_.reset();
  FlipIn(FileIn("warm", ".seg"), "needle-in-two-tiers");
  Open();
  const auto batches = storage_->Read({"t", 0}, Offset(0));
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(batches->front().tier(), StorageTier::kCold);
  EXPECT_EQ(AsText(batches->front().bytes()), "needle-in-two-tiers");
}

TEST_F(BadInput, DeletedSegmentFileIsReportedAndTheRestReads) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "gone").ok());
  ASSERT_TRUE(storage_->DemoteTo({"t", 0}, StorageTier::kWarm).ok());
  ASSERT_TRUE(Append({"t", 0}, "there").ok());
  storage_.reset();
  fs::remove(FileIn("warm", ".seg"));
  Open();
  const Status status = storage_->Read({"t", 0}, Offset(0)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(".seg"));
  EXPECT_EQ(ReadText({"t", 0}, 1), "there,");
  EXPECT_EQ(storage_->DemoteTo({"t", 0}, StorageTier::kCold).code(),
            StatusCode::kDataLoss);
  const auto repaired = storage_->Repair({"t", 0});
  ASSERT_TRUE(repaired.ok()) << repaired.status();
  EXPECT_EQ(repaired->lost.size(), 1u);
  EXPECT_EQ(storage_->DemoteTo({"t", 0}, StorageTier::kCold), Status::Ok());
  EXPECT_EQ(ReadText({"t", 0}), "there,");
}

TEST_F(BadInput, DeletedObjectIsReported) {
  Open();
  ASSERT_TRUE(Append({"t", 0}, "gone").ok());
  ASSERT_TRUE(storage_->DemoteTo({"t", 0}, StorageTier::kCold).ok());
  fs::remove(FileIn("cold", ".seg"));
  storage_.reset();
  Open();
  const Status status = storage_->Read({"t", 0}, Offset(0)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("topics/"));
}

TEST_F(BadInput, FlippedByteInTheWalIsReportedUntilRepaired) {
  Open();
  ASSERT_TRUE(storage_->CreateTopic("t", 1).ok());
  ASSERT_TRUE(storage_->CreateTopic("other", 1).ok());
  ASSERT_TRUE(Append({"t", 0}, "before").ok());
  ASSERT_TRUE(Append({"t", 0}, "needle-in-the-wal").ok());
  ASSERT_TRUE(Append({"t", 0}, "after").ok());
  ASSERT_TRUE(Append({"other", 0}, "untouched").ok());
  storage_.reset();
  for (const auto& entry : fs::directory_iterator(config_.data_dir / "wal")) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(in), {}};
    if (content.find("needle-in-the-wal") != std::string::npos) {
      FlipIn(entry.path(), "needle-in-the-wal");
    }
  }
  Open();
  ASSERT_FALSE(storage_->recovery().damage.empty());
  EXPECT_EQ(ReadText({"other", 0}), "untouched,");
  EXPECT_TRUE(Append({"other", 0}, "goes on").ok());
  const std::string text = ReadText({"t", 0});
  EXPECT_THAT(text, ::testing::StartsWith("before,DataLoss"));
  EXPECT_THAT(text, HasSubstr("[1, 2)"));
  EXPECT_EQ(ReadText({"t", 0}, 2), "after,");
  const Status refused = Append({"t", 0}, "too early");
  EXPECT_EQ(refused.code(), StatusCode::kReadOnly);
  ASSERT_TRUE(storage_->Repair({"t", 0}).ok());
  EXPECT_EQ(ReadText({"t", 0}), "before,after,");
  EXPECT_TRUE(Append({"t", 0}, "again").ok());
  storage_.reset();
  Open();
  EXPECT_TRUE(storage_->recovery().damage.empty());
  EXPECT_EQ(ReadText({"t", 0}), "before,after,again,");
}

TEST_F(BadInput, DamagedManifestIsNamedAndNothingIsTouched) {
  Open();
  ASSERT_TRUE(storage_->CreateTopic("needle-topic", 1).ok());
  ASSERT_TRUE(Append({"needle-topic", 0}, "x").ok());
  storage_.reset();
  const fs::path manifest = [&] {
    for (const auto& entry :
         fs::directory_iterator(config_.data_dir / "manifest")) {
      if (entry.path().filename().string().starts_with("MANIFEST-")) {
        return entry.path();
      }
    }
    return fs::path();
  }();
  FlipIn(manifest, "needle-topic");
  const Status status = OpenStatus();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr(manifest.filename().string()));
  FlipIn(manifest, "oeedle-topic");  // back again
  Open();
  EXPECT_EQ(ReadText({"needle-topic", 0}), "x,");
}

// A small tmpfs of its own: mounting needs root.
class FullDisk : public BadInput {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "mounting a small tmpfs needs root";
    mount_point_ = dir_.path() / "small";
    fs::create_directory(mount_point_);
    ASSERT_EQ(mount("tmpfs", mount_point_.c_str(), "tmpfs", 0, "size=6m"), 0)
        << std::strerror(errno);
    config_ = TieredStorageConfig::Testing(mount_point_ / "store");
    config_.wal_file_bytes = 512 * kKiB;
    config_.wal_max_bytes = 2 * kMiB;
    config_.max_batch_bytes = 128 * kKiB;
    config_.hot_tier_max_bytes = 2 * kMiB;
    config_.wal_chunk_bytes = 64 * kKiB;
    config_.reserve_bytes = 512 * kKiB;
    config_.append_timeout = std::chrono::milliseconds(300);
    config_.cold_storage = cold::LocalFs{.path = dir_.path() / "cold"};
  }
  void TearDown() override {
    storage_.reset();
    if (!mount_point_.empty()) umount2(mount_point_.c_str(), MNT_DETACH);
  }

  fs::path mount_point_;
};

TEST_F(FullDisk, FullDiskStopsAppendsAndCanBeEmptied) {
  Open();
  const std::string text(50'000, 'x');
  uint64_t acknowledged = 0;
  Status status;
  while (acknowledged < 1000) {
    status = Append({"t", 0}, text);
    if (!status.ok()) break;
    ++acknowledged;
  }
  ASSERT_TRUE(status.code() == StatusCode::kNoSpace ||
              status.code() == StatusCode::kOverloaded)
      << status;
  ASSERT_GT(acknowledged, 10u);
  ASSERT_LT(acknowledged, 1000u);
  // Everything acknowledged is there.
  const auto count = [&](uint64_t from) {
    uint64_t n = 0;
    for (Offset next(from);;) {
      const auto batches = storage_->Read({"t", 0}, next);
      EXPECT_TRUE(batches.ok()) << batches.status();
      if (!batches.ok() || batches->empty()) return n;
      for (const BatchView& batch : *batches) {
        EXPECT_EQ(AsText(batch.bytes()), text);
        next = batch.end_offset();
        ++n;
      }
    }
  };
  EXPECT_EQ(count(0), acknowledged);
  // Trim works on the full disk, and what it frees can be used.
  const Status trimmed = storage_->Trim({"t", 0}, Offset(acknowledged / 2));
  ASSERT_TRUE(trimmed.ok()) << trimmed;
  EXPECT_EQ(count(acknowledged / 2), acknowledged - acknowledged / 2);
  // The first pass may find the disk still full before it frees anything.
  Status passed = storage_->RunMigrations();
  for (int pass = 0; pass < 5 && !passed.ok(); ++pass) {
    passed = storage_->RunMigrations();
  }
  EXPECT_TRUE(passed.ok()) << passed;
  storage_.reset();
  Open();
  EXPECT_TRUE(storage_->recovery().damage.empty());
  EXPECT_EQ(count(acknowledged / 2), acknowledged - acknowledged / 2);
  // Deletion works, too, and empties it.
  ASSERT_TRUE(storage_->DeleteTopic("t").ok());
  EXPECT_TRUE(Append({"u", 0}, text).ok());
}

}  // namespace
}  // namespace strata
