// Who asks an object store, and where we learn that from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "strata/status.h"
#include "strata/types.h"

namespace strata {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token{};  // empty: none
  std::optional<TimestampMs> expires_at{};
};

// Thread-safe.
class CredentialsProvider {
 public:
  using Done = std::function<void(Result<std::shared_ptr<const Credentials>>)>;

  virtual ~CredentialsProvider() = default;

  // Continues with credentials that have not expired, maybe inside the call.
  // kIoError when there are none, kUnavailable when their source does not
  // answer now.
  virtual void Get(Done done) = 0;

  // The server says that these have expired. True when the next Get may answer
  // others.
  virtual bool Refused(const Credentials& credentials) = 0;
};

std::shared_ptr<CredentialsProvider> MakeStaticCredentials(
    Credentials credentials);

}  // namespace strata
