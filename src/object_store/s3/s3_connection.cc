#include "object_store/s3/s3_connection.h"

#include <utility>

#include "net/digest.h"
#include "object_store/read_through.h"

namespace strata {
S3Connection::S3Connection(S3Options options, Endpoint endpoint,
                           std::shared_ptr<CredentialsProvider> credentials,
                           std::shared_ptr<HttpClient> http)
    : options_(std::move(options)),
      scheme_(options_.dialect == S3Dialect::kGoogle ? kGoogleSigning
                                                     : kAwsSigning),
      origin_((endpoint.tls ? "https://" : "http://") +
              (options_.path_style ? "" : options_.bucket + ".") +
              endpoint.authority),
      host_(origin_.substr(origin_.find("://") + 3)),
      base_path_(endpoint.path +
                 (options_.path_style ? "/" + options_.bucket : "")),
      tls_(endpoint.tls),
      credentials_(std::move(credentials)),
      http_(std::move(http)) {}

std::string S3Connection::Describe(std::string_view key) const {
  std::string text = options_.dialect == S3Dialect::kGoogle ? "gcs:" : "s3:";
  text += options_.bucket;
  if (!key.empty()) text.append("/").append(key);
  return text;
}

std::string S3Connection::HeaderName(std::string_view name) const {
  return std::string(scheme_.header_prefix).append(name);
}

// TLS keeps the payload from being changed on its way; without it the
// signature has to.
Result<std::string> S3Connection::PayloadHash(const HttpCall& call) const {
  if (tls_ && call.body != nullptr) return std::string(kUnsignedPayload);
  Sha256Stream hash;
  if (call.body != nullptr) {
    STRATA_RETURN_IF_ERROR(
        ReadThrough(*call.body, call.body_position, call.body_length,
                    [&](ByteSpan bytes) { hash.Update(bytes); }));
  }
  return ToHex(hash.Finish());
}

void S3Connection::Send(HttpCall call, Done done) {
  Result<std::string> hash = PayloadHash(call);
  if (!hash.ok()) return done({std::move(hash).status(), {}});
  credentials_->Get([self = shared_from_this(), call = std::move(call),
                     hash = *std::move(hash),
                     done = std::move(done)](auto credentials) mutable {
    if (!credentials.ok()) return done({credentials.status(), {}});
    self->SendSigned(std::move(call), hash, *std::move(credentials),
                     std::move(done));
  });
}

HttpRequest S3Connection::Sign(HttpCall& call, const Credentials& credentials,
                               const std::string& payload_hash) const {
  const std::string timestamp = SigningTimestamp(http_->clock().WallNow());
  const bool google = options_.dialect == S3Dialect::kGoogle;
  SignableRequest signable{.method = HttpMethodName(call.method),
                           .path = base_path_ + "/" + call.key,
                           .query = std::move(call.query),
                           .headers = std::move(call.headers),
                           .payload_hash = payload_hash};
  // An object at the root of a virtual host, or the bucket by its path.
  if (call.key.empty() && !base_path_.empty()) signable.path.pop_back();
  HttpHeaders& headers = signable.headers;
  headers.push_back({HeaderName("date"), timestamp});
  headers.push_back({HeaderName("content-sha256"), payload_hash});
  if (!credentials.session_token.empty()) {
    headers.push_back(
        {HeaderName("security-token"), credentials.session_token});
  }
  headers.push_back({"Host", host_});
  const SigningKey key{.scheme = scheme_,
                       .access_key = credentials.access_key,
                       .secret_key = credentials.secret_key,
                       .region = options_.region,
                       .service = google ? "storage" : "s3"};
  const Signature signature = SignV4(signable, key, timestamp);

  std::string url = origin_ + PercentEncodePath(signable.path);
  const std::string query = EncodeQuery(signable.query);
  if (!query.empty()) url += "?" + query;
  headers.pop_back();  // libcurl sends Host
  headers.push_back({"Authorization", signature.authorization});
  return MakeRequest(call, std::move(url), std::move(headers));
}

void S3Connection::SendSigned(HttpCall call, const std::string& payload_hash,
                              std::shared_ptr<const Credentials> credentials,
                              Done done) {
  StoreQuestion question = QuestionOf(call, Describe(call.key));
  HttpRequest request = Sign(call, *credentials, payload_hash);
  http_->Send(std::move(request),
              [self = shared_from_this(), question = std::move(question),
               credentials = std::move(credentials),
               done = std::move(done)](HttpOutcome outcome) {
                S3Meaning meaning = MeaningOf(question, outcome);
                Status& status = meaning.status;
                if (!status.ok()) {
                  const bool renewable =
                      meaning.token_expired &&
                      self->credentials_->Refused(*credentials);
                  const StatusCode code =
                      renewable ? StatusCode::kUnavailable : status.code();
                  status = Status(code, Redacted(status.message(),
                                                 {credentials->secret_key,
                                                  credentials->session_token}))
                               .WithRetryAfter(status.retry_after());
                }
                done({std::move(status), std::move(outcome.response)});
              });
}

}  // namespace strata
