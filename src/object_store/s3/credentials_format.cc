#include "object_store/s3/credentials_format.h"

#include <fmt/format.h>
#include <time.h>

#include <nlohmann/json.hpp>
#include <string>

namespace strata {
namespace {

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) + 1 - first);
}

// "2026-01-01T00:00:00Z", perhaps with fractions, which are left out.
std::optional<TimestampMs> ParseTime(const std::string& text) {
  std::tm utc{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr || text.back() != 'Z') return std::nullopt;
  return TimestampMs{timegm(&utc)} * 1000;
}

}  // namespace

Result<Credentials> ParseCredentialsFile(std::string_view text,
                                         std::string_view profile) {
  Credentials found{.access_key = {}, .secret_key = {}};
  bool within = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = Trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      within = line.ends_with(']') &&
               Trim(line.substr(1, line.size() - 2)) == profile;
      continue;
    }
    const size_t equals = line.find('=');
    if (!within || equals == line.npos) continue;
    const std::string_view name = Trim(line.substr(0, equals));
    const std::string_view value = Trim(line.substr(equals + 1));
    if (name == "aws_access_key_id") found.access_key = value;
    if (name == "aws_secret_access_key") found.secret_key = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  if (!found.access_key.empty() && !found.secret_key.empty()) return found;
  return Status(StatusCode::kNotFound,
                fmt::format("no keys for profile '{}'", profile));
}

Result<Credentials> ParseMetadataCredentials(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  const auto text = [&](const char* name) -> std::string {
    if (!parsed.is_object()) return {};
    const auto found = parsed.find(name);
    if (found == parsed.end() || !found->is_string()) return {};
    return found->get<std::string>();
  };
  Credentials found{.access_key = text("AccessKeyId"),
                    .secret_key = text("SecretAccessKey"),
                    .session_token = text("Token")};
  const std::string expiration = text("Expiration");
  if (!expiration.empty()) found.expires_at = ParseTime(expiration);
  const bool whole = !found.access_key.empty() && !found.secret_key.empty() &&
                     (expiration.empty() || found.expires_at);
  if (whole) return found;
  return Status(StatusCode::kUnavailable,
                "the metadata service answered no credentials");
}

}  // namespace strata
