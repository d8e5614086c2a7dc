#include "bench/limits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "base/crc32c.h"
#include "bench/raw_file.h"
#include "strata/config.h"

namespace strata::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPieces[] = {64 * kKiB, 1 * kMiB};

// A synced file of `bytes`, whose pages stay in the page cache.
Result<fs::path> PreWritten(const fs::path& directory, uint64_t bytes) {
  const fs::path path = directory / fmt::format("written-{}", bytes);
  STRATA_RETURN_IF_ERROR(PreWrite(path, bytes));
  return path;
}

// Fits into the second cache beside its source.
constexpr uint64_t kStreamedStep = 16 * kKiB;

#if defined(__SSE2__)
// Both lie at multiples of 16 bytes.
void CopyPastCache(std::byte* to, const std::byte* from, uint64_t bytes) {
  constexpr uint64_t kWord = sizeof(__m128i);
  for (; bytes >= kWord; to += kWord, from += kWord, bytes -= kWord) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
  std::memcpy(to, from, bytes);
}
#endif

// Calls step(position, length) for consecutive pieces of [0, bytes).
template <typename Step>
Status ForPieces(uint64_t bytes, uint64_t piece, Step&& step) {
  for (uint64_t at = 0; at < bytes; at += piece) {
    STRATA_RETURN_IF_ERROR(step(at, std::min(piece, bytes - at)));
  }
  return Status::Ok();
}

// Reads the first `bytes` of a file in pieces and hands each to use(span).
template <typename Step>
Status ReadPieces(File& file, const Buffer& buffer, uint64_t bytes,
                  uint64_t piece, Step&& use) {
  return ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
    const Status status = file.Read(buffer.data(), n, at);
    if (status.ok()) use(buffer.span().first(n));
    return status;
  });
}

// Gives a new file its content with fill(file), makes file and name durable.
// Removes it again, which is not timed.
template <typename Fill>
Result<double> TimeNewFile(const fs::path& directory, Fill&& fill) {
  const fs::path temporary = directory / "created.tmp";
  const fs::path path = directory / "created";
  auto create = [&]() -> Status {
    STRATA_ASSIGN_OR_RETURN(FilePtr file,
                            File::Open(temporary, O_RDWR | O_CREAT | O_TRUNC));
    STRATA_RETURN_IF_ERROR(fill(*file));
    STRATA_RETURN_IF_ERROR(file->Sync());
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      return Failed("rename", temporary);
    }
    return SyncDirectory(directory);
  };
  Result<double> seconds = TimeOf(create);
  std::error_code ignored;  // the directory is removed at the end anyway
  fs::remove(path, ignored);
  return seconds;
}

Status CopyInKernel(File& from, File& to, uint64_t bytes) {
  off_t at = 0;
  while (static_cast<uint64_t>(at) < bytes) {
    const ssize_t n = ::copy_file_range(from.fd(), &at, to.fd(), nullptr,
                                        bytes - static_cast<uint64_t>(at), 0);
    if (n <= 0) return Failed("copy_file_range", "created.tmp");
  }
  return Status::Ok();
}

Way WriteWay(const fs::path& path, uint64_t bytes, uint64_t piece, int flags) {
  const char* kind = (flags & O_DIRECT) != 0 ? "O_DIRECT pwrite" : "pwrite";
  return {fmt::format("{} {} + fdatasync", kind, SizeName(piece)),
          [path, bytes, flags, piece,
           buffer = MakeBuffer(piece)]() -> Result<double> {
            STRATA_ASSIGN_OR_RETURN(FilePtr file,
                                    File::Open(path, O_RDWR | flags));
            return TimeOf([&]() -> Status {
              STRATA_RETURN_IF_ERROR(
                  ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
                    return file->Write(buffer->span().first(n), at);
                  }));
              return file->SyncData();
            });
          }};
}

// Writes `stride` bytes and makes them durable, `groups` times.
struct GroupRun {
  uint64_t groups = 0;
  uint64_t stride = 0;
};

Way GroupWay(std::string name, const fs::path& path, const GroupRun& run,
             int flags) {
  return {
      std::move(name),
      [path, run, flags, buffer = MakeBuffer(run.stride)]() -> Result<double> {
        STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDWR | flags));
        return TimeOf([&]() -> Status {
          for (uint64_t i = 0; i < run.groups; ++i) {
            STRATA_RETURN_IF_ERROR(
                file->Write(buffer->span().first(run.stride), i * run.stride));
            if ((flags & O_DSYNC) != 0) continue;
            STRATA_RETURN_IF_ERROR(file->SyncData());
          }
          return Status::Ok();
        });
      }};
}

}  // namespace

uint64_t Sum(ByteSpan bytes) {
  constexpr size_t kLanes = 8;
  uint64_t lanes[kLanes] = {};
  size_t at = 0;
  for (; at + sizeof(lanes) <= bytes.size(); at += sizeof(lanes)) {
    uint64_t words[kLanes];
    std::memcpy(words, bytes.data() + at, sizeof(words));
    for (size_t i = 0; i < kLanes; ++i) lanes[i] += words[i];
  }
  uint64_t sum = 0;
  for (uint64_t lane : lanes) sum += lane;
  for (; at < bytes.size(); ++at) sum += static_cast<uint64_t>(bytes[at]);
  return sum;
}

void Use(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

Ways CopyAndChecksum(uint64_t bytes, uint64_t piece) {
  auto to = MakeBuffer(bytes);
  auto from = MakeBuffer(kMiB);
  const auto copy = [to, from](uint64_t at, uint64_t n) {
    std::memcpy(to->data() + at, from->data() + at % kMiB, n);
  };
  // The CRCs of the pieces of [at, at + n).
  const auto sums = [piece](const Buffer& buffer, uint64_t at, uint64_t n) {
    return ForPieces(n, piece, [&](uint64_t within, uint64_t length) {
      Use(Crc32c(buffer.span().subspan(at + within, length)));
      return Status::Ok();
    });
  };
  // Does both in steps of `step` bytes, at least a piece.
  const auto in_steps = [=](uint64_t step) {
    return [=]() {
      return TimeOf([&] {
        return ForPieces(bytes, step, [&](uint64_t at, uint64_t n) {
          copy(at, n);
          return sums(*to, at, n);
        });
      });
    };
  };
  const std::string size = SizeName(piece);
  Ways ways = {
      {fmt::format("memcpy, CRC32C of the copy, {}", size), in_steps(piece)},
      {fmt::format("CRC32C of the source, memcpy, {}", size), [=]() {
         return TimeOf([&] {
           return ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
             STRATA_RETURN_IF_ERROR(sums(*from, at % kMiB, n));
             copy(at, n);
             return Status::Ok();
           });
         });
       }}};
  if (piece < kStreamedStep) {
    ways.push_back({fmt::format("memcpy of {}, CRC32C of each {}",
                                SizeName(kStreamedStep), size),
                    in_steps(kStreamedStep)});
  }
#if defined(__SSE2__)
  ways.push_back(
      {fmt::format("CRC32C of the source, copy past the cache, {}", size),
       [=]() {
         return TimeOf([&] {
           return ForPieces(bytes, piece, [&](uint64_t at, uint64_t n) {
             STRATA_RETURN_IF_ERROR(sums(*from, at % kMiB, n));
             CopyPastCache(to->data() + at, from->data() + at % kMiB, n);
             return Status::Ok();
           });
         });
       }});
#endif
  return ways;
}

Ways SumMemory(uint64_t bytes) {
  auto memory = MakeBuffer(bytes);
  return {{"sum of memory", [=]() {
             return TimeOf([&] {
               Use(Sum(memory->span().first(bytes)));
               return Status::Ok();
             });
           }}};
}

Result<Ways> WriteDurably(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back(WriteWay(path, bytes, piece, 0));
    ways.push_back(WriteWay(path, bytes, piece, O_DIRECT));
  }
  return ways;
}

Result<Ways> SyncRecords(const fs::path& directory, const RecordRun& run) {
  const uint64_t groups = (run.records + run.group - 1) / run.group;
  const uint64_t bytes = run.group * run.record_bytes;
  const uint64_t blocks = (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  STRATA_ASSIGN_OR_RETURN(const fs::path path,
                          PreWritten(directory, groups * blocks));
  const std::string size = SizeName(bytes);
  return Ways{GroupWay(fmt::format("pwrite {} + fdatasync each", size), path,
                       {.groups = groups, .stride = bytes}, 0),
              GroupWay(fmt::format("O_DSYNC pwrite {} each", size), path,
                       {.groups = groups, .stride = bytes}, O_DSYNC),
              GroupWay(fmt::format("O_DIRECT pwrite {} + fdatasync each",
                                   SizeName(blocks)),
                       path, {.groups = groups, .stride = blocks}, O_DIRECT)};
}

Result<Ways> SyncOwnFiles(const fs::path& directory, uint32_t writers,
                          const RecordRun& run) {
  std::vector<Ways> of_writers;
  for (uint32_t i = 0; i < writers; ++i) {
    const fs::path own = directory / fmt::format("writer-{}", i);
    std::error_code error;
    fs::create_directory(own, error);
    if (error) return Failed("mkdir", own);
    STRATA_ASSIGN_OR_RETURN(Ways ways, SyncRecords(own, run));
    of_writers.push_back(std::move(ways));
  }
  Ways together;
  for (size_t way = 0; way < of_writers.front().size(); ++way) {
    together.push_back(
        {fmt::format("{} threads: {}", writers, of_writers.front()[way].name),
         [of_writers, way]() -> Result<double> {
           std::vector<Status> results(of_writers.size());
           return TimeOf([&]() -> Status {
             std::vector<std::thread> threads;
             for (size_t i = 0; i < of_writers.size(); ++i) {
               threads.emplace_back(
                   [&, i] { results[i] = of_writers[i][way].run().status(); });
             }
             for (std::thread& thread : threads) thread.join();
             for (const Status& result : results) {
               STRATA_RETURN_IF_ERROR(result);
             }
             return Status::Ok();
           });
         }});
  }
  return together;
}

Result<Ways> WriteTwice(const fs::path& directory, uint64_t bytes,
                        uint64_t file_bytes) {
  STRATA_ASSIGN_OR_RETURN(const Ways logs, WriteDurably(directory, bytes));
  const uint64_t files = (bytes + file_bytes - 1) / file_bytes;
  STRATA_ASSIGN_OR_RETURN(const Ways creations,
                          CreateFile(directory, bytes / files));
  Ways ways;
  for (const Way& log : logs) {
    const Way& creation = creations.back();
    ways.push_back(
        {fmt::format("{}; {} files: {}", log.name, files, creation.name),
         [log, creation, files]() -> Result<double> {
           STRATA_ASSIGN_OR_RETURN(double seconds, log.run());
           for (uint64_t i = 0; i < files; ++i) {
             STRATA_ASSIGN_OR_RETURN(const double more, creation.run());
             seconds += more;
           }
           return seconds;
         }});
  }
  return ways;
}

Result<Ways> SumFile(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDONLY));
  auto map = std::make_shared<Map>(*file, bytes);
  if (!map->ok()) return Failed("mmap", path);
  Ways ways = {{"sum of a map", [map]() {
                  return TimeOf([&] {
                    Use(Sum(map->span()));
                    return Status::Ok();
                  });
                }}};
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("pread {} + sum", SizeName(piece)),
                    [file, bytes, piece, buffer = MakeBuffer(piece)]() {
                      return TimeOf([&] {
                        return ReadPieces(
                            *file, *buffer, bytes, piece,
                            [](ByteSpan read) { Use(Sum(read)); });
                      });
                    }});
  }
  return ways;
}

Result<Ways> CreateFile(const fs::path& directory, uint64_t bytes) {
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("write {} + fsync + rename", SizeName(piece)),
                    [=, buffer = MakeBuffer(piece)]() {
                      return TimeNewFile(directory, [&](File& file) {
                        return ForPieces(
                            bytes, piece, [&](uint64_t at, uint64_t n) {
                              return file.Write(buffer->span().first(n), at);
                            });
                      });
                    }});
  }
  return ways;
}

Result<Ways> CopyFile(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr from, File::Open(path, O_RDONLY));
  Ways ways = {{"copy_file_range + fsync + rename", [=]() {
                  return TimeNewFile(directory, [&](File& to) {
                    return CopyInKernel(*from, to, bytes);
                  });
                }}};
  for (const uint64_t piece : kPieces) {
    ways.push_back(
        {fmt::format("read, write {} + fsync + rename", SizeName(piece)),
         [=, buffer = MakeBuffer(piece)]() {
           return TimeNewFile(directory, [&](File& to) {
             return ForPieces(
                 bytes, piece, [&](uint64_t at, uint64_t n) -> Status {
                   STRATA_RETURN_IF_ERROR(from->Read(buffer->data(), n, at));
                   return to.Write(buffer->span().first(n), at);
                 });
           });
         }});
  }
  return ways;
}

Result<Ways> ReadStateAndMark(const fs::path& directory, uint64_t bytes) {
  STRATA_ASSIGN_OR_RETURN(const fs::path path, PreWritten(directory, bytes));
  STRATA_ASSIGN_OR_RETURN(FilePtr file, File::Open(path, O_RDWR));
  Ways ways;
  for (const uint64_t piece : kPieces) {
    ways.push_back({fmt::format("pread {} + CRC32C, one sync", SizeName(piece)),
                    [file, bytes, piece, buffer = MakeBuffer(piece)]() {
                      return TimeOf([&]() -> Status {
                        STRATA_RETURN_IF_ERROR(ReadPieces(
                            *file, *buffer, bytes, piece,
                            [](ByteSpan read) { Use(Crc32c(read)); }));
                        STRATA_RETURN_IF_ERROR(
                            file->Write(buffer->span().first(kBlockBytes), 0));
                        return file->SyncData();
                      });
                    }});
  }
  return ways;
}

}  // namespace strata::bench
