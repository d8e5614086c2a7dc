#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

#include "cli/command.h"

namespace strata::cli {
namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void Stop(int) {
  interrupted.store(true, std::memory_order_relaxed);
}

extern "C" void StopAndTell(int signal) {
  Stop(signal);
  constexpr std::string_view kNote = "\nstrata: stopping; again to stop hard\n";
  const auto ignored = ::write(STDERR_FILENO, kNote.data(), kNote.size());
  (void)ignored;  // nobody to tell
}

extern "C" void End(int) { ::_exit(kExitInterrupted); }

}  // namespace

void CatchInterrupts(OnInterrupt what) {
  struct sigaction action{};
  action.sa_handler = what == OnInterrupt::kClose  ? StopAndTell
                      : what == OnInterrupt::kStop ? Stop
                                                   : End;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // Writes to a closed pipe answer EPIPE instead: see Output.
  ::signal(SIGPIPE, SIG_IGN);
}

bool Interrupted() { return interrupted.load(std::memory_order_relaxed); }

Status CheckInterrupt() {
  if (!Interrupted()) return Status::Ok();
  return {StatusCode::kCancelled, "interrupted"};
}

}  // namespace strata::cli
