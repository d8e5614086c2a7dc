// A read under way. Included by the reader's own .cc files only.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/reader.h"

namespace strata::engine {

// One read. Whoever runs it owns it; while it is parked or its I/O is under
// way, it belongs to who changes `state` first.
class Reader::Request final : public ReadWaiter,
                              public std::enable_shared_from_this<Request> {
 public:
  enum class State { kRunning, kParked, kAway, kAnswered };

  explicit Request(Reader& r) : reader(r) {}

  void Wake() override {
    reader.context_.runtime.read_executor().Post(
        [self = shared_from_this()] { self->reader.Resume(self); });
  }

  // GiveUp, later and only if somebody still waits then.
  Task GiveUpLater(StatusCode why) {
    return [weak = weak_from_this(), why] {
      if (RequestPtr self = weak.lock()) {
        Reader& r = self->reader;
        r.GiveUp(std::move(self), why);
      }
    };
  }

  // True once: whoever gets it owns the read.
  bool Claim(State from, State to) {
    return state.compare_exchange_strong(from, to);
  }

  ReadWindow Window() const {
    return {.start = next,
            .end = limit,
            .max_bytes = options.max_bytes - std::min(bytes, options.max_bytes),
            .at_least_one = batches.empty()};
  }
  bool Full() const { return !batches.empty() && bytes >= options.max_bytes; }
  bool WaitsForMore() const {
    return bytes < options.min_bytes &&
           !(options.limit_offset && next >= *options.limit_offset);
  }

  Status GivenUp() const {
    const StatusCode why = given_up.load();
    return {why, why == StatusCode::kCancelled
                     ? "the read was cancelled"
                     : fmt::format("no answer within {} ms",
                                   options.timeout.count())};
  }

  Reader& reader;
  PartitionPtr partition;
  Offset start;
  Offset next;
  Offset limit;  // nothing at or above it
  ReadOptions options;
  MonotonicTime begin;
  Batches batches;
  uint64_t bytes = 0;
  StorageTier coldest = StorageTier::kHot;  // of what is in `batches`
  MonotonicTime started;                    // or when it was woken last
  uint64_t cuts = 0;  // of the partition, when it was parked
  int relocations = 0;
  bool root_reloaded = false;
  bool timer_armed = false;
  // Set when a local copy turned out damaged: take the cold one.
  bool prefer_cold = false;
  Engine::Done<Batches> done;
  // Sequentially consistent: who parks looks at `given_up` afterwards, who
  // gives up looks at `state` afterwards, and one of them sees the other.
  std::atomic<State> state{State::kRunning};
  std::atomic<StatusCode> given_up{StatusCode::kOk};
  std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

struct TailRef {
  HotBatch batch;
  std::shared_ptr<Chunk> chunk;
};

struct Reader::Source {
  enum class Kind { kEnd, kParked, kTail, kSegment, kCold };
  Kind kind = Kind::kEnd;
  std::vector<TailRef> tail;
  SegmentPtr segment;
  std::shared_ptr<HotCopy> hot;
  // When parked: the WAL group before which nothing more becomes visible.
  std::optional<uint64_t> awaited_seq;
};

}  // namespace strata::engine
