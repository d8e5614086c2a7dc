#include "cli/command.h"

#include <initializer_list>

#include "cli/suggest.h"
#include "strata/settings.h"

namespace strata::cli {
namespace {

// What no configuration can take is wrong usage; whether the one in force can
// is told once that is known.
void CheckSetting(const std::string& name, const std::string& text) {
  const StoreSetting* const setting = FindStoreSetting(name);
  if (setting == nullptr) {
    std::vector<std::string> names;
    for (const StoreSetting& one : StoreSettings()) {
      names.emplace_back(one.name);
    }
    throw CLI::ValidationError("--set", "there is no setting '" + name + "'" +
                                            DidYouMean(name, names));
  }
  Status refused;
  // Some are of one kind of cold storage.
  for (const ColdStorageConfig& cold : std::initializer_list<ColdStorageConfig>{
           cold::Disabled{}, cold::LocalFs{}, cold::S3{}, cold::AzureBlob{},
           cold::Gcs{}}) {
    TieredStorageConfig config;
    config.cold_storage = cold;
    Status status = setting->Set(config, text);
    if (status.ok()) return;
    // Where there is no such setting, that is not what is wrong.
    if (setting->Get(config) || refused.ok()) refused = std::move(status);
  }
  throw CLI::ValidationError("--set", refused.message());
}

}  // namespace

void AddStoreOptions(CLI::App& app, Invocation& invocation) {
  app.add_option_function<std::string>(
         "--data-dir,-d",
         [&invocation](const std::string& directory) {
           invocation.flags.push_back({"data_dir", directory, "--data-dir"});
         },
         "The store's directory (default ./strata-data)")
      ->type_name("DIR");
  app.add_option_function<std::string>(
         "--cold",
         [&invocation](const std::string& url) {
           invocation.flags.push_back({"cold_storage.url", url, "--cold"});
         },
         "Cold storage: s3://bucket/prefix, gs://bucket/prefix, "
         "azblob://account/container, file:///directory, disabled:")
      ->type_name("URL");
  app.add_option("--config", invocation.config_file,
                 "Settings in TOML; see strata config")
      ->type_name("FILE");
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&invocation](const std::vector<std::string>& settings) {
           for (const std::string& setting : settings) {
             const auto [name, text] = SplitSetting("--set", setting);
             CheckSetting(name, text);
             invocation.flags.push_back({name, text, "--set"});
           }
         },
         "A setting in place of the configured one; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

std::pair<std::string, std::string> SplitSetting(const std::string& option,
                                                 const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    throw CLI::ValidationError(option, "'" + text + "': expected NAME=VALUE");
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

CLI::App& AddCommand(CLI::App& parent, Invocation& invocation,
                     const std::string& name, const std::string& description,
                     const std::string& examples) {
  CLI::App& command = *parent.add_subcommand(name, description);
  command.footer("Examples:\n" + examples);
  AddStoreOptions(command, invocation);
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
