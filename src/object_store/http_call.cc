#include "object_store/http_call.h"

#include <utility>

namespace strata {

HttpRequest MakeRequest(HttpCall& call, std::string url, HttpHeaders headers) {
  HttpRequest request;
  request.method = call.method;
  request.url = std::move(url);
  request.headers = std::move(headers);
  request.body = std::move(call.body);
  request.body_position = call.body_position;
  request.body_length = call.body_length;
  request.out = call.out;
  request.memory = std::move(call.memory);
  // A body is never sent twice by the client; what has none could be.
  request.once = call.changes && call.body_length == 0 &&
                 (call.conditional || call.method == HttpMethod::kPost);
  request.deadline = call.limits.deadline;
  request.cancel = std::move(call.limits.cancel);
  return request;
}

StoreQuestion QuestionOf(const HttpCall& call, std::string what) {
  return {.what = std::move(what),
          .method = call.method,
          .changes = call.changes,
          .conditional = call.conditional};
}

}  // namespace strata
