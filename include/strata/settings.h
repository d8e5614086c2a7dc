// Settings: the fields of TieredStorageConfig and TopicSettings by name, for
// configuration files, environments, flags and reports.
//
//   TieredStorageConfig config;
//   for (const auto& setting : StoreSettings()) {
//     if (const char* text = Lookup(setting.name))
//       STRATA_RETURN_IF_ERROR(setting.Set(config, text));
//   }
//
// One table tells name, kind and meaning of each field; its default is what a
// fresh config holds. Set in the order of the table: cold_storage.type comes
// before the fields that depend on it. Values are checked as such here, and
// against each other by TieredStorageConfig::Validate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "strata/config.h"
#include "strata/status.h"

namespace strata {

// What the text of a value looks like.
enum class SettingKind : uint8_t {
  kBytes,     // "67108864" or "64MiB"; B, KiB, MiB, GiB, TiB
  kDuration,  // "250ms", "30s", "5m", "2h", "7d"
  kCount,     // "4"
  kRatio,     // "0.5"
  kBool,      // "true" or "false"
  kText,      // any
  kChoice,    // one of a few names
};

// "a size such as 67108864 or 64MiB"; for kChoice see Setting::expected.
constexpr std::string_view Expected(SettingKind kind) {
  switch (kind) {
    case SettingKind::kBytes: return "a size such as 67108864 or 64MiB";
    case SettingKind::kDuration: return "a duration such as 250ms, 30s or 2h";
    case SettingKind::kCount: return "a whole number";
    case SettingKind::kRatio: return "a number such as 0.5";
    case SettingKind::kBool: return "true or false";
    case SettingKind::kText: return "text";
    case SettingKind::kChoice: break;
  }
  return "one of a few names";
}

// One field of `Target`. Immutable; every view is to a literal.
template <typename Target>
struct Setting {
  std::string_view name;  // "wal_file_bytes", "cold_storage.path"
  SettingKind kind = SettingKind::kText;
  std::string_view expected;     // what a value looks like, for people
  std::string_view description;  // one sentence
  bool secret = false;           // not to be shown

  // kInvalidArgument naming the setting, what was expected and what found;
  // `target` is unchanged then.
  Status Set(Target& target, std::string_view text) const;
  // The value as text that Set takes. Nothing where the field does not exist
  // (of another cold storage) or is not set.
  std::optional<std::string> Get(const Target& target) const {
    return get(target);
  }

  // The message of the answer is what is wrong with the value.
  Status (*set)(Target& target, std::string_view text) = nullptr;
  std::optional<std::string> (*get)(const Target& target) = nullptr;
};

using StoreSetting = Setting<TieredStorageConfig>;
using TopicSetting = Setting<TopicSettings>;

// All that can be set of a store, and of a topic.
std::span<const StoreSetting> StoreSettings();
std::span<const TopicSetting> TopicSettingTable();

// The setting of this name, or null.
const StoreSetting* FindStoreSetting(std::string_view name);
const TopicSetting* FindTopicSetting(std::string_view name);

}  // namespace strata
