#include "object_store/s3/credentials_chain.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

#include "object_store/s3/credentials_format.h"
#include "object_store/s3/refreshing_credentials.h"

namespace strata {
namespace {

using Fetch = RefreshingCredentials::Fetch;
using Fetched = RefreshingCredentials::Fetched;

constexpr std::chrono::seconds kMetadataTimeout{5};

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Sends one request to a metadata service and continues with the body of its
// answer. Kept alive by its requests.
void Ask(HttpClient& http, HttpRequest request,
         std::function<void(Result<std::string>)> done) {
  request.deadline = http.clock().Now() + kMetadataTimeout;
  request.max_body_bytes = size_t{64} << 10;
  http.Send(std::move(request), [done = std::move(done)](HttpOutcome outcome) {
    const Status& status = outcome.status;
    if (!status.ok()) {
      return done(Status(StatusCode::kUnavailable,
                         "no credentials: " + status.message()));
    }
    if (outcome.response.status == 200) {
      return done(std::move(outcome.response.body));
    }
    const bool passes =
        outcome.response.status / 100 == 5 || outcome.response.status == 429;
    done(Status(passes ? StatusCode::kUnavailable : StatusCode::kIoError,
                fmt::format("no credentials: the metadata service answered {}",
                            outcome.response.status)));
  });
}

void AskForCredentials(HttpClient& http, HttpRequest request, Fetched fetched) {
  Ask(http, std::move(request),
      [fetched = std::move(fetched)](Result<std::string> json) {
        fetched(json.ok() ? ParseMetadataCredentials(*json)
                          : Result<Credentials>(json.status()));
      });
}

Fetch FromFile(std::string path, std::string profile) {
  return [path = std::move(path),
          profile = std::move(profile)](const Fetched& fetched) {
    const auto text = ReadFile(path);
    auto parsed = ParseCredentialsFile(text.value_or(""), profile);
    if (parsed.ok()) return fetched(std::move(parsed));
    fetched(Status(StatusCode::kIoError,
                   fmt::format("{}: {}", path, parsed.status().message())));
  };
}

Fetch FromContainer(std::string url, std::string token, std::string token_file,
                    std::shared_ptr<HttpClient> http) {
  return [=, http = std::move(http)](Fetched fetched) {
    HttpRequest request{.url = url};
    std::string value = token;
    if (!token_file.empty()) value = ReadFile(token_file).value_or("");
    while (value.ends_with('\n')) value.pop_back();
    if (!value.empty()) request.headers.push_back({"Authorization", value});
    AskForCredentials(*http, std::move(request), std::move(fetched));
  };
}

// A token, with it the name of the instance's role, with that its credentials.
Fetch FromInstance(std::string endpoint, std::shared_ptr<HttpClient> http) {
  return [=, http = std::move(http)](Fetched fetched) {
    const std::string roles =
        endpoint + "/latest/meta-data/iam/security-credentials/";
    auto with_role = [=](const HttpHeaders& headers,
                         const Result<std::string>& role) {
      if (!role.ok()) return fetched(role.status());
      const std::string name = role->substr(0, role->find('\n'));
      AskForCredentials(*http, {.url = roles + name, .headers = headers},
                        fetched);
    };
    auto with_token = [=](const Result<std::string>& token) {
      if (!token.ok()) return fetched(token.status());
      const HttpHeaders headers{{"X-aws-ec2-metadata-token", *token}};
      Ask(*http, {.url = roles, .headers = headers},
          [=](const Result<std::string>& role) { with_role(headers, role); });
    };
    Ask(*http,
        {.method = HttpMethod::kPut,
         .url = endpoint + "/latest/api/token",
         .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}}},
        with_token);
  };
}

Fetch FromNowhere() {
  return [](const Fetched& fetched) {
    fetched(Status(StatusCode::kIoError,
                   "no credentials: neither configured, nor in "
                   "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the "
                   "environment, nor in a credentials file"));
  };
}

// Of the sources that are asked over and over.
Fetch ChooseFetch(const Environment& environment,
                  std::shared_ptr<HttpClient> http) {
  const auto get = [&](const char* name) {
    return environment(name).value_or("");
  };
  std::string path = get("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) path = get("HOME") + "/.aws/credentials";
  std::string profile = get("AWS_PROFILE");
  const bool named = !profile.empty();
  if (!named) profile = "default";
  const std::string text = ReadFile(path).value_or("");
  if (named || ParseCredentialsFile(text, profile).ok()) {
    return FromFile(std::move(path), std::move(profile));
  }
  std::string url = get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const std::string relative = get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) url = "http://169.254.170.2" + relative;
  if (!url.empty()) {
    return FromContainer(
        std::move(url), get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), std::move(http));
  }
  if (get("AWS_EC2_METADATA_DISABLED") == "true") return FromNowhere();
  std::string endpoint = get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (endpoint.empty()) endpoint = "http://169.254.169.254";
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return FromInstance(std::move(endpoint), std::move(http));
}

}  // namespace

std::shared_ptr<CredentialsProvider> MakeCredentialsChain(
    std::optional<Credentials> configured, const Environment& environment,
    std::shared_ptr<HttpClient> http) {
  if (configured) return MakeStaticCredentials(*std::move(configured));
  Credentials keys{
      .access_key = environment("AWS_ACCESS_KEY_ID").value_or(""),
      .secret_key = environment("AWS_SECRET_ACCESS_KEY").value_or(""),
      .session_token = environment("AWS_SESSION_TOKEN").value_or("")};
  if (!keys.access_key.empty() && !keys.secret_key.empty()) {
    return MakeStaticCredentials(std::move(keys));
  }
  const Clock& clock = http->clock();
  Fetch fetch = ChooseFetch(environment, http);
  // The client has the clock.
  return std::make_shared<RefreshingCredentials>(
      [fetch = std::move(fetch), http = std::move(http)](Fetched fetched) {
        fetch(std::move(fetched));
      },
      clock);
}

}  // namespace strata
