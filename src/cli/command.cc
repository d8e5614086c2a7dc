#include "cli/command.h"

#include <fmt/format.h>

namespace strata::cli {

void AddDataDir(CLI::App& app, Invocation& invocation) {
  app.add_option("--data-dir,-d", invocation.data_dir,
                 "The store's directory (default ./strata-data)")
      ->type_name("DIR");
}

CLI::App& AddCommand(CLI::App& parent, Invocation& invocation,
                     const std::string& name, const std::string& description,
                     const std::string& examples) {
  CLI::App& command = *parent.add_subcommand(name, description);
  command.footer("Examples:\n" + examples);
  AddDataDir(command, invocation);
  return command;
}

void AddTopic(CLI::App& command, std::string& topic) {
  command.add_option("TOPIC", topic, "1 to 249 of [a-zA-Z0-9._-]")
      ->required()
      ->type_name("")
      ->check(Checked(ValidateTopicName));
}

void AddPartition(CLI::App& command, std::optional<uint32_t>& partition,
                  const std::string& description) {
  command.add_option("--partition,-p", partition, description)->type_name("N");
}

}  // namespace strata::cli
