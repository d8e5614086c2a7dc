// SingleFlightCache: values that are costly to get, kept by least recent use
// within a bound of bytes, each fetched once however many want it.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/unique_function.h"
#include "strata/status.h"

namespace strata {

// Thread-safe. Owned by shared_ptr: loads under way hold it. A value that is
// evicted lives on while somebody holds it.
template <typename Key, typename Value>
class SingleFlightCache
    : public std::enable_shared_from_this<SingleFlightCache<Key, Value>> {
 public:
  using ValuePtr = std::shared_ptr<const Value>;
  using Done = UniqueFunction<void(Result<ValuePtr>)>;
  struct Loaded {
    ValuePtr value;
    uint64_t bytes = 0;  // counted against the bound
  };
  using LoadDone = UniqueFunction<void(Result<Loaded>)>;
  // Calls the continuation once, at any time.
  using Loader = UniqueFunction<void(LoadDone)>;

  explicit SingleFlightCache(uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // From memory; null when it is not there.
  ValuePtr Find(const Key& key) {
    MutexLock lock(mu_);
    ValuePtr value = Touch(key);
    if (value != nullptr) ++hits_;
    return value;
  }

  bool Holds(const Key& key) const {
    MutexLock lock(mu_);
    return items_.contains(key) || flights_.contains(key);
  }

  // Continues with the value, maybe inside the call; calls `load` for it
  // unless it is there or under way. An error goes to all who wait, and is not
  // kept. Answers whether `load` was called.
  bool Load(const Key& key, Loader load, Done done) {
    ValuePtr present;
    {
      MutexLock lock(mu_);
      if (closed_) return false;
      present = Touch(key);
      if (present == nullptr) {
        const auto [flight, is_new] = flights_.try_emplace(key);
        flight->second.push_back(std::move(done));
        if (!is_new) return false;
        ++misses_;
      }
    }
    if (present != nullptr) {
      done(std::move(present));
      return false;
    }
    load([self = this->shared_from_this(), key](Result<Loaded> loaded) {
      self->Land(key, std::move(loaded));
    });
    return true;
  }

  // The next load fetches it again; one that is under way goes on.
  void Forget(const Key& key) {
    ValuePtr removed;
    MutexLock lock(mu_);
    removed = Remove(key);
  }

  // Destroys the continuations of all who wait, now and later: they may hold
  // this in turn. For teardown.
  void Close() {
    std::map<Key, std::vector<Done>> dropped;
    MutexLock lock(mu_);
    closed_ = true;
    dropped.swap(flights_);
  }

  uint64_t bytes() const {
    MutexLock lock(mu_);
    return bytes_;
  }
  uint64_t hits() const {
    MutexLock lock(mu_);
    return hits_;
  }
  uint64_t misses() const {
    MutexLock lock(mu_);
    return misses_;
  }

 private:
  struct Item {
    ValuePtr value;
    uint64_t bytes = 0;
    typename std::list<Key>::iterator use;
  };

  ValuePtr Touch(const Key& key) STRATA_REQUIRES(mu_) {
    const auto found = items_.find(key);
    if (found == items_.end()) return nullptr;
    uses_.splice(uses_.end(), uses_, found->second.use);
    return found->second.value;
  }

  ValuePtr Remove(const Key& key) STRATA_REQUIRES(mu_) {
    const auto found = items_.find(key);
    if (found == items_.end()) return nullptr;
    ValuePtr value = std::move(found->second.value);
    bytes_ -= found->second.bytes;
    uses_.erase(found->second.use);
    items_.erase(found);
    return value;
  }

  void Land(const Key& key, Result<Loaded> loaded) {
    std::vector<Done> waiting;
    std::vector<ValuePtr> evicted;  // goes outside the lock
    {
      MutexLock lock(mu_);
      if (auto flight = flights_.extract(key)) {
        waiting = std::move(flight.mapped());
      }
      if (loaded.ok() && !closed_) Keep(key, *loaded, evicted);
    }
    for (Done& done : waiting) {
      done(loaded.ok() ? Result<ValuePtr>(loaded->value)
                       : Result<ValuePtr>(loaded.status()));
    }
  }

  void Keep(const Key& key, const Loaded& loaded,
            std::vector<ValuePtr>& evicted) STRATA_REQUIRES(mu_) {
    if (loaded.bytes > max_bytes_) return;
    while (bytes_ + loaded.bytes > max_bytes_) {
      const Key oldest = uses_.front();
      evicted.push_back(Remove(oldest));
    }
    uses_.push_back(key);
    items_[key] = {loaded.value, loaded.bytes, std::prev(uses_.end())};
    bytes_ += loaded.bytes;
  }

  const uint64_t max_bytes_;
  mutable Mutex mu_;
  std::map<Key, Item> items_ STRATA_GUARDED_BY(mu_);
  std::list<Key> uses_ STRATA_GUARDED_BY(mu_);  // least recent first
  std::map<Key, std::vector<Done>> flights_ STRATA_GUARDED_BY(mu_);
  uint64_t bytes_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t hits_ STRATA_GUARDED_BY(mu_) = 0;
  uint64_t misses_ STRATA_GUARDED_BY(mu_) = 0;
  bool closed_ STRATA_GUARDED_BY(mu_) = false;
};

}  // namespace strata
