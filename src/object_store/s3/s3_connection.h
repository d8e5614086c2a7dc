// S3Connection: sends one request of S3's to its endpoint, signed, and says
// what the answer means.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/uri.h"
#include "net/http.h"
#include "object_store/request_limits.h"
#include "object_store/s3/credentials.h"
#include "object_store/s3/s3_error.h"
#include "object_store/s3/s3_options.h"
#include "object_store/s3/sigv4.h"

namespace strata {

struct S3Call {
  HttpMethod method = HttpMethod::kGet;
  std::string key{};  // empty: the bucket
  QueryParameters query{};
  HttpHeaders headers{};  // without those that sign
  bool changes = false;
  bool conditional = false;  // with a precondition: sent at most once

  std::shared_ptr<ObjectSource> body{};
  uint64_t body_position = 0;
  uint64_t body_length = 0;

  std::span<std::byte> out{};
  std::shared_ptr<void> memory{};
  RequestLimits limits{};
};

// `response` is of use when status is Ok.
struct S3Answer {
  Status status;
  HttpResponse response;
};

// Thread-safe. Its requests keep it alive.
class S3Connection : public std::enable_shared_from_this<S3Connection> {
 public:
  using Done = std::function<void(S3Answer)>;

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
  void Send(S3Call call, Done done);

 private:
  HttpRequest Sign(S3Call& call, const Credentials& credentials,
                   const std::string& payload_hash) const;
  void SendSigned(S3Call call, const std::string& payload_hash,
                  std::shared_ptr<const Credentials> credentials, Done done);
  Result<std::string> PayloadHash(const S3Call& call) const;

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
