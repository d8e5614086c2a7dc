// completion, man: the commands for bash and for man.
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/reference.h"

namespace strata::cli {
namespace {

struct ReferenceOptions {
  const CLI::App* app = nullptr;  // the whole program
};

Status Completion(const Invocation&, const ReferenceOptions& options) {
  return Print(BashCompletion(*options.app));
}

Status Manual(const Invocation&, const ReferenceOptions& options) {
  return Print(ManPage(*options.app));
}

}  // namespace

void AddManual(CLI::App& app, Invocation& invocation) {
  CLI::App& completion =
      *app.add_subcommand("completion", "Print a script for a shell");
  completion.require_subcommand(1);
  CLI::App& bash = *completion.add_subcommand(
      "bash", "Completion of commands, options and choices in bash");
  bash.footer(
      "Examples:\n  source <(strata completion bash)\n"
      "  strata completion bash >/etc/bash_completion.d/strata");
  OnRun(bash, invocation, Completion).app = &app;

  CLI::App& man = *app.add_subcommand("man", "Print the manual page");
  man.footer("Examples:\n  strata man >/usr/local/share/man/man1/strata.1");
  OnRun(man, invocation, Manual).app = &app;
}

}  // namespace strata::cli
