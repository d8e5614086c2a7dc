// AzureConnection: sends one request to a container, with what authorises it,
// and says what the answer means.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/uri.h"
#include "net/http.h"
#include "object_store/azure/azure_options.h"
#include "object_store/http_call.h"
#include "runtime/random.h"

namespace strata {

// Thread-safe. Its requests keep it alive.
class AzureConnection : public std::enable_shared_from_this<AzureConnection> {
 public:
  using Done = std::function<void(HttpAnswer)>;

  // `endpoint` is that of the options. `random` names staged blocks.
  AzureConnection(AzureOptions options, Endpoint endpoint,
                  std::shared_ptr<HttpClient> http,
                  std::shared_ptr<Random> random);

  const AzureOptions& options() const { return options_; }
  HttpClient& http() { return *http_; }
  Random& random() { return *random_; }
  // "azblob:account/container" and "azblob:account/container/key".
  std::string Describe(std::string_view key = "") const;

  // Continues on http().executor(). `max_body_bytes`: of an answer that does
  // not go into call.out.
  void Send(HttpCall call, Done done, size_t max_body_bytes = size_t{1} << 20);

 private:
  HttpRequest Authorized(HttpCall& call) const;
  Status Redact(const Status& status) const;

  const AzureOptions options_;
  const Endpoint endpoint_;
  const std::string sas_signature_;  // decoded; empty with a key
  const std::shared_ptr<HttpClient> http_;
  const std::shared_ptr<Random> random_;
};

// Base64 of the MD5 of a part of `source`: value of Content-MD5. `also` is
// called with the same bytes.
Result<std::string> ContentMd5(
    ObjectSource& source, uint64_t position, uint64_t length,
    const std::function<void(ByteSpan)>& also = [](ByteSpan) {});

}  // namespace strata
