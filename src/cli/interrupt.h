// Ctrl-C, SIGTERM and closed pipes. The first signal asks the command to stop
// at the next safe place and close the store; a second one ends the process at
// once, which costs a recovery at the next open and nothing else.
#pragma once

#include "strata/status.h"

namespace strata::cli {

// Call once, before the store is opened.
void CatchInterrupts();

// Whether a signal has come. Thread-safe.
bool Interrupted();

// kCancelled once a signal has come: for loops to return.
Status CheckInterrupt();

}  // namespace strata::cli
