// S3Connection: sends one request of S3's to its endpoint, signed, and says
// what the answer means.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/uri.h"
#include "net/http.h"
#include "object_store/http_call.h"
#include "object_store/s3/credentials.h"
#include "object_store/s3/s3_error.h"
#include "object_store/s3/s3_options.h"
#include "object_store/s3/sigv4.h"

namespace strata {

// Thread-safe. Its requests keep it alive.
class S3Connection : public std::enable_shared_from_this<S3Connection> {
 public:
  using Done = std::function<void(HttpAnswer)>;

  // `endpoint` is that of the options.
  S3Connection(S3Options options, Endpoint endpoint,
               std::shared_ptr<CredentialsProvider> credentials,
               std::shared_ptr<HttpClient> http);

  const S3Options& options() const { return options_; }
  HttpClient& http() { return *http_; }
  // "s3:bucket" and "s3:bucket/key".
  std::string Describe(std::string_view key = "") const;
  // "x-amz-" or "x-goog-", and `name`.
  std::string HeaderName(std::string_view name) const;

  // Continues on http().executor(). Reads the body first, on the calling
  // thread, when its hash is to be signed.
  void Send(HttpCall call, Done done);

 private:
  HttpRequest Sign(HttpCall& call, const Credentials& credentials,
                   const std::string& payload_hash) const;
  void SendSigned(HttpCall call, const std::string& payload_hash,
                  std::shared_ptr<const Credentials> credentials, Done done);
  Result<std::string> PayloadHash(const HttpCall& call) const;

  const S3Options options_;
  const SigningScheme scheme_;
  const std::string origin_;     // scheme://host
  const std::string host_;       // as in the Host header
  const std::string base_path_;  // of the bucket, not encoded
  const bool tls_;
  const std::shared_ptr<CredentialsProvider> credentials_;
  const std::shared_ptr<HttpClient> http_;
};

}  // namespace strata
