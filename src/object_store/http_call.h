// HttpCall: a request to a bucket before it is signed, and its answer.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/uri.h"
#include "net/http.h"
#include "object_store/http_meaning.h"
#include "object_store/request_limits.h"

namespace strata {

struct HttpCall {
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
struct HttpAnswer {
  Status status;
  HttpResponse response;
};

// `call` as it is sent to `url` with `headers`; its body and memory go along.
HttpRequest MakeRequest(HttpCall& call, std::string url, HttpHeaders headers);

// `what` names the object in messages.
StoreQuestion QuestionOf(const HttpCall& call, std::string what);

}  // namespace strata
