// HttpClient: one HTTP/1.1 request and its answer, without waiting. What the
// object stores of the cloud are built on.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_function.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "strata/object_store.h"
#include "strata/status.h"

namespace strata {

enum class HttpMethod : uint8_t { kGet, kHead, kPut, kPost, kDelete };

// "GET" and so on.
std::string_view HttpMethodName(HttpMethod method);

struct HttpHeader {
  std::string name;
  std::string value;

  friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};
using HttpHeaders = std::vector<HttpHeader>;

// The value of the first header of this name (compared without case), or null.
const std::string* FindHeader(const HttpHeaders& headers,
                              std::string_view name);

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  // Sent as it is: the path is neither normalised nor encoded.
  std::string url;
  // Without Host, Content-Length and Expect.
  HttpHeaders headers{};

  // The body of a Put or Post: `body_length` bytes of `body` from
  // `body_position` on, read on a thread of the client. Null: empty.
  std::shared_ptr<ObjectSource> body{};
  uint64_t body_position = 0;
  uint64_t body_length = 0;

  // Where the body of an answer of 200 or 206 goes; untouched by the caller
  // until `done`. Empty, or with another status: into HttpResponse::body.
  std::span<std::byte> out{};
  // Owns what `out` lies in; may be null.
  std::shared_ptr<void> memory{};
  // Longest body that goes into HttpResponse::body.
  size_t max_body_bytes = size_t{1} << 20;

  // Sent once: where the connection breaks, it is not even sent again on a new
  // one. For changes that cannot be made twice.
  bool once = false;
  std::optional<MonotonicTime> deadline{};  // of HttpClient::clock()
  std::stop_token cancel{};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers{};  // names in lower case
  std::string body{};
  size_t filled = 0;  // bytes of `out`

  const std::string* Find(std::string_view name) const {
    return FindHeader(headers, name);
  }
};

// What became of a request.
struct HttpOutcome {
  // Ok: a whole answer came, whatever its status. Else
  //  kUnavailable: no connection, or it broke; kIoError: the server's
  //  certificate is not to be trusted, or ours is refused; kDeadlineExceeded;
  //  kCancelled; kClosed: the client went; kInvalidArgument: the URL;
  //  or what the source of the body answered.
  Status status{};
  HttpResponse response{};  // partly filled unless Ok
  // Whether the server may have seen the whole request, and so acted on it.
  bool may_have_reached = false;
};

// Thread-safe.
class HttpClient {
 public:
  using Done = UniqueFunction<void(HttpOutcome)>;

  virtual ~HttpClient() = default;

  // Calls `done` once, on executor(), never inside the call.
  virtual void Send(HttpRequest request, Done done) = 0;

  // Threads of the client for the work around requests: signing, checksums.
  virtual Executor& executor() = 0;
  virtual const Clock& clock() const = 0;
};

}  // namespace strata
