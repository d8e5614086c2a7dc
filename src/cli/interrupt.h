// Ctrl-C, SIGTERM and closed pipes. A second signal ends the process at once,
// which costs a recovery at the next open and nothing else.
#pragma once

#include "strata/status.h"

namespace strata::cli {

// What the first signal does.
enum class OnInterrupt {
  kClose,  // asks the command to stop and close the store; says so
  kStop,   // asks the command to stop
  kEnd,    // ends the process with kExitInterrupted: there is nothing to keep
};

// Call before the store is opened; the last call counts.
void CatchInterrupts(OnInterrupt what);

// Whether a signal has come. Thread-safe.
bool Interrupted();

// kCancelled once a signal has come: for loops to return.
Status CheckInterrupt();

}  // namespace strata::cli
