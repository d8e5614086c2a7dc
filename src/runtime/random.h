// Random: the only source of chance. Injected; seeded in tests.
#pragma once

#include <cstdint>
#include <span>

#include "strata/types.h"

namespace strata {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  // 64 uniform bits.
  virtual uint64_t Next() = 0;

  // Uniform in [0, bound); bound > 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }

  TopicId NewTopicId() {
    TopicId id;
    for (size_t i = 0; i < id.bytes.size(); i += 8) {
      uint64_t bits = Next();
      for (size_t j = 0; j < 8; ++j, bits >>= 8) {
        id.bytes[i + j] = static_cast<std::byte>(bits & 0xff);
      }
    }
    return id;
  }
};

}  // namespace strata
