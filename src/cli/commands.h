// The commands: each function adds one group of them, to be found in the file
// of its name.
#pragma once

#include "cli/command.h"

namespace strata::cli {

void AddProduce(CLI::App& app, Invocation& invocation);
void AddConsume(CLI::App& app, Invocation& invocation);
void AddTopics(CLI::App& app, Invocation& invocation);
void AddTrim(CLI::App& app, Invocation& invocation);  // in topics.cc
void AddSegments(CLI::App& app, Invocation& invocation);
void AddStats(CLI::App& app, Invocation& invocation);
void AddTiers(CLI::App& app, Invocation& invocation);   // flush demote promote
void AddVerify(CLI::App& app, Invocation& invocation);  // verify repair
void AddBucket(CLI::App& app, Invocation& invocation);  // restore ls
void AddDump(CLI::App& app, Invocation& invocation);
void AddConfig(CLI::App& app, Invocation& invocation);
void AddDemo(CLI::App& app, Invocation& invocation);
void AddManual(CLI::App& app, Invocation& invocation);  // completion man

}  // namespace strata::cli
