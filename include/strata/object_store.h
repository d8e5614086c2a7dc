// ObjectStore: the interface of the cold tier's back ends, in the shape that
// S3, Azure Blob and GCS share. Strata ships a local directory and a memory
// store; implement this to bring your own and pass it in OpenOptions.
//
// The contract, which testing/object_store_contract.h checks for any back end:
//  * Objects are immutable byte strings under a key; a Put either replaces the
//    whole object or does nothing; a reader never sees a part of one.
//  * After a Put answers Ok, every later Get, Head and List sees it.
//  * Every method returns at once and calls `done` exactly once, later, from
//    an executor of the implementation, never from inside the call.
//  * When the implementation cannot tell whether a change took place (time-out
//    after the request was sent, connection lost) it answers kUnknown. It does
//    not repeat a conditional Put by itself.
//  * kNotFound: no such key. kConflict: the precondition did not hold, nothing
//    changed. kUnavailable: try again later. kOverloaded: the same, and slower;
//    Status::retry_after may say when. kIoError: refused until somebody mends
//    it: credentials, no such bucket. kDeadlineExceeded: the deadline passed
//    before the request was sent, or before a read was answered. kCancelled:
//    the caller asked to stop before.
//
// A TieredStorage that is destroyed waits for requests only as shutdown_timeout
// says. Others may be under way when it is gone: whenever their answers come,
// nobody looks at them, and an implementation may as well destroy `done`
// without calling it. Until it has, the source of a Put can be read and `out`
// of a Get be written. The store makes no calls any more then, and has given
// up its reference to the implementation.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

// Identifies one content of one key: an ETag, a generation, an inode. Equal
// versions mean that the object was not replaced in between. Opaque text.
using ObjectVersion = std::string;

// What must be true of the key for a Put to happen.
struct PutPrecondition {
  enum class Kind : uint8_t { kNone, kAbsent, kVersion };
  Kind kind = Kind::kNone;
  ObjectVersion version;  // for kVersion

  static PutPrecondition None() { return {}; }
  static PutPrecondition Absent() { return {Kind::kAbsent, {}}; }
  static PutPrecondition IfVersion(ObjectVersion v) {
    return {Kind::kVersion, std::move(v)};
  }
};

// Bytes to upload, read in pieces so that an upload never needs the object in
// memory at once. Thread-compatible; used by one request at a time, possibly
// from another thread than the one that made it. Must be able to start over:
// a back end may read from position 0 again to retry.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  virtual uint64_t size() const = 0;
  // Fills `out` entirely with the bytes from `position` on;
  // position + out.size() <= size().
  virtual Status ReadAt(uint64_t position, std::span<std::byte> out) = 0;
  // All bytes as one contiguous view when that costs nothing, else nullopt.
  virtual std::optional<ByteSpan> Contiguous() { return std::nullopt; }
};

// A source over bytes that the source owns.
std::shared_ptr<ObjectSource> MakeStringSource(std::string bytes);

struct ByteRange {
  uint64_t position = 0;
  uint64_t length = 0;
};

struct ObjectInfo {
  std::string key;
  uint64_t size_bytes = 0;
  ObjectVersion version;
};

struct ListPage {
  std::vector<ObjectInfo> objects;  // ascending by key (byte order)
  // More keys may follow the last one of this page: ask again with
  // after = objects.back().key.
  bool more = false;
};

// What holds for each request.
struct ObjectRequest {
  // Measured on a monotonic clock from the call; zero means no deadline.
  std::chrono::milliseconds timeout{0};
  std::stop_token cancel;  // the default one never asks to stop
  // Of a Get: owns what `out` lies in, for an implementation that writes there
  // later than it destroys `done`. Null: the caller sees to it.
  std::shared_ptr<void> memory{};
};

// TieredStorage::Open answers kUnsupported for a store without both
// preconditions, since two writers of one bucket could not be kept apart, and
// for one whose objects may not be as large as a segment can become.
struct ObjectStoreCapabilities {
  bool put_if_absent = false;
  bool put_if_version = false;
  uint64_t max_object_bytes = 0;  // largest Put, multipart included
  // Puts above this size are sent in parts; 0 when never.
  uint64_t multipart_above_bytes = 0;
};

// Thread-safe. Keys: 1 to 1024 bytes of UTF-8, parts separated by '/', no
// empty part, no part "." or "..", no NUL, no backslash; others are refused
// with kInvalidArgument before anything is touched.
class ObjectStore {
 public:
  template <typename T>
  using Done = std::function<void(T)>;

  virtual ~ObjectStore() = default;

  // A label for messages: "file:/var/lib/strata/cold". Never a secret.
  virtual std::string Describe() const = 0;
  virtual ObjectStoreCapabilities Capabilities() const = 0;

  // Stores all of `source` under `key` if `precondition` holds; answers the
  // new version. The source is kept until `done` is called.
  virtual void Put(std::string key, std::shared_ptr<ObjectSource> source,
                   PutPrecondition precondition, ObjectRequest request,
                   Done<Result<ObjectVersion>> done) = 0;

  // Fills `out`, which stays valid and untouched by the caller until `done`,
  // with the bytes of `key` from `position` on. Answers how many bytes were
  // filled: fewer than out.size() only at the object's end; kOutOfRange when
  // position lies at or behind the end of a non-empty range.
  virtual void Get(std::string key, uint64_t position, std::span<std::byte> out,
                   ObjectRequest request, Done<Result<size_t>> done) = 0;

  virtual void Head(std::string key, ObjectRequest request,
                    Done<Result<ObjectInfo>> done) = 0;

  // Ok also when there is no such key. Never conditional: no store can be
  // relied on for that.
  virtual void Delete(std::string key, ObjectRequest request,
                      Done<Status> done) = 0;

  // Keys that start with `prefix` (a plain string prefix, not a folder) and
  // are greater than `after`, ascending, at most `limit` (1 to 1000).
  virtual void List(std::string prefix, std::string after, size_t limit,
                    ObjectRequest request, Done<Result<ListPage>> done) = 0;
};

// kInvalidArgument, naming key and fault, unless `key` follows the rules above.
Status ValidateObjectKey(std::string_view key);

}  // namespace strata
