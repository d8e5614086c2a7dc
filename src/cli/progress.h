// Progress: a bar on standard error for work that takes a while; where that is
// no terminal, a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace strata::cli {

// Owned by one thread.
class Progress {
 public:
  // `total` in bytes; 0 where it is not known.
  Progress(std::string label, uint64_t total);
  // Takes the bar away if Finish was not called.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows that `done` bytes are done, but not more often than is readable.
  // Cheap enough for inner loops.
  void Update(uint64_t done, std::string_view note = {});
  // Whether Update would show something now: for notes that cost something.
  bool IsDue() const;
  // Shows the end in a line that stays.
  void Finish(uint64_t done, std::string_view note = {});

 private:
  using Clock = std::chrono::steady_clock;

  std::string Line(uint64_t done, std::string_view note) const;
  void Show(uint64_t done, std::string_view note, bool last);

  const std::string label_;
  const uint64_t total_;
  const bool terminal_;
  const Clock::time_point begin_;
  Clock::time_point next_;
  bool shown_ = false;  // a bar stands under the cursor
};

}  // namespace strata::cli
