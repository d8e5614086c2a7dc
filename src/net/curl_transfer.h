// CurlTransfer: one request on a libcurl easy handle.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "net/curl_http_client.h"
#include "net/http.h"

namespace strata {

struct CurlEasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;

struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

// Thread-compatible: handed from the caller to the loop.
class CurlTransfer {
 public:
  CurlTransfer(HttpRequest request, HttpClient::Done done)
      : request_(std::move(request)), done_(std::move(done)) {}
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  const HttpRequest& request() const { return request_; }
  CURL* easy() const { return easy_.get(); }

  // Sets `easy`, fresh or reset, up for the request. kInvalidArgument when
  // libcurl refuses an option.
  Status Prepare(CurlEasy easy, const HttpClientOptions& options);
  // What became of it, by what libcurl says, or because of `why` where it was
  // given up. The handle is not used after that.
  HttpOutcome Outcome(CURLcode code);
  HttpOutcome GivenUp(Status why);

  CurlEasy TakeEasy() { return std::move(easy_); }
  HttpClient::Done TakeDone() { return std::move(done_); }

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static size_t OnRead(char* data, size_t size, size_t count, void* self);
  static int OnSeek(void* self, curl_off_t offset, int origin);

  bool AddHeader(std::string_view line);
  bool AddBody(std::string_view data);
  CURLcode SetOptions(const HttpClientOptions& options);
  CURLcode SetMethod();
  // "PUT http://host:port": no path, which may hold secrets.
  std::string Describe() const;
  bool MayHaveReached() const;

  HttpRequest request_;
  HttpClient::Done done_;
  CurlEasy easy_;
  std::unique_ptr<curl_slist, CurlListDeleter> headers_;
  char error_[CURL_ERROR_SIZE] = "";

  HttpResponse response_;
  size_t header_bytes_ = 0;
  uint64_t body_read_ = 0;  // of the request's body, by libcurl
  Status failed_;           // of ours, not libcurl's
};

}  // namespace strata
