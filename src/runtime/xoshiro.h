// xoshiro256**: the generator behind every Random. Fast, 256 bits of state,
// the same numbers on every machine.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace strata {

// One step of SplitMix64: spreads a small seed over 64 bits.
constexpr uint64_t SplitMix64(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Thread-compatible value. By Blackman and Vigna.
class Xoshiro256 {
 public:
  using State = std::array<uint64_t, 4>;

  // `state` must not be all zero.
  constexpr explicit Xoshiro256(const State& state) : s_(state) {}
  constexpr explicit Xoshiro256(uint64_t seed) {
    for (uint64_t& word : s_) word = SplitMix64(seed);
  }

  constexpr uint64_t Next() {
    const uint64_t result = std::rotl(s_[1] * 5, 7) * 9;
    const uint64_t t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = std::rotl(s_[3], 45);
    return result;
  }

 private:
  State s_{};
};

}  // namespace strata
