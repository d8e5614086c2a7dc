#include "net/curl_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace strata {
namespace {

constexpr size_t kMaxHeaderBytes = size_t{64} << 10;
constexpr long kBufferBytes = 512L << 10;

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
  };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// "scheme://host:port" of a URL.
std::string_view Origin(std::string_view url) {
  const size_t host = url.find("://");
  if (host == url.npos) return "a URL without a scheme";
  return url.substr(0, url.find_first_of("/?#", host + 3));
}

// Addresses that no proxy could reach for us: this machine, and the link,
// where clouds serve credentials.
bool IsLocal(std::string_view origin) {
  const size_t host = origin.find("://") + 3;
  const std::string_view name = origin.substr(std::min(host, origin.size()));
  return name.starts_with("127.") || name.starts_with("169.254.") ||
         name.starts_with("localhost") || name.starts_with("[::1]");
}

StatusCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT: return StatusCode::kInvalidArgument;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return StatusCode::kIoError;
    default: return StatusCode::kUnavailable;
  }
}

}  // namespace

#define STRATA_CURL_SET(option, value)                                      \
  if (const CURLcode set_ = curl_easy_setopt(easy_.get(), option, (value)); \
      set_ != CURLE_OK) {                                                   \
    return set_;                                                            \
  }

Status CurlTransfer::Prepare(CurlEasy easy, const HttpClientOptions& options) {
  easy_ = std::move(easy);
  const CURLcode set = SetOptions(options);
  if (set == CURLE_OK) return Status::Ok();
  return {StatusCode::kInvalidArgument,
          fmt::format("{}: {}", Describe(), curl_easy_strerror(set))};
}

CURLcode CurlTransfer::SetOptions(const HttpClientOptions& options) {
  STRATA_CURL_SET(CURLOPT_URL, request_.url.c_str());
  STRATA_CURL_SET(CURLOPT_PRIVATE, this);
  STRATA_CURL_SET(CURLOPT_ERRORBUFFER, error_);
  STRATA_CURL_SET(CURLOPT_NOSIGNAL, 1L);
  STRATA_CURL_SET(CURLOPT_PATH_AS_IS, 1L);
  STRATA_CURL_SET(CURLOPT_PROTOCOLS_STR, "http,https");
  STRATA_CURL_SET(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  STRATA_CURL_SET(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  STRATA_CURL_SET(CURLOPT_TCP_KEEPALIVE, 1L);
  STRATA_CURL_SET(CURLOPT_BUFFERSIZE, kBufferBytes);
  STRATA_CURL_SET(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  STRATA_CURL_SET(CURLOPT_CONNECTTIMEOUT_MS,
                  static_cast<long>(options.connect_timeout.count()));
  STRATA_CURL_SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
  STRATA_CURL_SET(CURLOPT_LOW_SPEED_TIME,
                  static_cast<long>(options.stall_timeout.count()));
  STRATA_CURL_SET(CURLOPT_MAXAGE_CONN,
                  static_cast<long>(options.max_idle.count()));
  if (!options.ca_bundle.empty()) {
    STRATA_CURL_SET(CURLOPT_CAINFO, options.ca_bundle.c_str());
  }
  if (IsLocal(Origin(request_.url))) STRATA_CURL_SET(CURLOPT_PROXY, "");

  STRATA_CURL_SET(CURLOPT_HEADERFUNCTION, &OnHeader);
  STRATA_CURL_SET(CURLOPT_HEADERDATA, this);
  STRATA_CURL_SET(CURLOPT_WRITEFUNCTION, &OnBody);
  STRATA_CURL_SET(CURLOPT_WRITEDATA, this);

  // libcurl would wait for a 100 (Continue) with large bodies, and a server
  // that knows none would make it wait for a second.
  std::string lines = "Expect:";
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)headers_.release();
    headers_.reset(longer);
    return true;
  };
  if (!append(lines)) return CURLE_OUT_OF_MEMORY;
  for (const HttpHeader& header : request_.headers) {
    // "Name;" is libcurl's way to say a header without a value.
    lines = header.value.empty() ? header.name + ";"
                                 : header.name + ": " + header.value;
    if (!append(lines)) return CURLE_OUT_OF_MEMORY;
  }
  STRATA_CURL_SET(CURLOPT_HTTPHEADER, headers_.get());
  return SetMethod();
}

CURLcode CurlTransfer::SetMethod() {
  switch (request_.method) {
    case HttpMethod::kGet: STRATA_CURL_SET(CURLOPT_HTTPGET, 1L); break;
    case HttpMethod::kHead: STRATA_CURL_SET(CURLOPT_NOBODY, 1L); break;
    case HttpMethod::kDelete:
      STRATA_CURL_SET(CURLOPT_HTTPGET, 1L);
      STRATA_CURL_SET(CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
    case HttpMethod::kPost:
    case HttpMethod::kPut:
      STRATA_CURL_SET(CURLOPT_UPLOAD, 1L);
      if (request_.method == HttpMethod::kPost) {
        STRATA_CURL_SET(CURLOPT_CUSTOMREQUEST, "POST");
      }
      STRATA_CURL_SET(CURLOPT_INFILESIZE_LARGE,
                      static_cast<curl_off_t>(request_.body_length));
      STRATA_CURL_SET(CURLOPT_READFUNCTION, &OnRead);
      STRATA_CURL_SET(CURLOPT_READDATA, this);
      STRATA_CURL_SET(CURLOPT_SEEKFUNCTION, &OnSeek);
      STRATA_CURL_SET(CURLOPT_SEEKDATA, this);
      break;
  }
  // libcurl sends a request again when a connection that was used before
  // breaks without a byte of an answer, unless it had to rewind the body.
  if (request_.once) STRATA_CURL_SET(CURLOPT_FRESH_CONNECT, 1L);
  return CURLE_OK;
}

#undef STRATA_CURL_SET

size_t CurlTransfer::OnHeader(char* data, size_t size, size_t count,
                              void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.AddHeader({data, size * count}) ? size * count : 0;
}

size_t CurlTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  return transfer.AddBody({data, size * count}) ? size * count : 0;
}

size_t CurlTransfer::OnRead(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const HttpRequest& request = transfer.request_;
  const size_t n = std::min<uint64_t>(
      size * count, request.body_length - transfer.body_read_);
  if (n == 0) return 0;
  const uint64_t position = request.body_position + transfer.body_read_;
  if (const auto whole = request.body->Contiguous()) {
    std::memcpy(data, whole->data() + position, n);
  } else {
    Status read = request.body->ReadAt(
        position, std::as_writable_bytes(std::span(data, n)));
    if (!read.ok()) {
      transfer.failed_ = std::move(read);
      return CURL_READFUNC_ABORT;
    }
  }
  transfer.body_read_ += n;
  return n;
}

// Called when libcurl wants to send a request again. Who may repeat it is for
// the caller to say.
int CurlTransfer::OnSeek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const bool to_start = offset == 0 && origin == SEEK_SET;
  if (!to_start || transfer.body_read_ > 0) return CURL_SEEKFUNC_FAIL;
  return CURL_SEEKFUNC_OK;
}

bool CurlTransfer::AddHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    failed_ = {StatusCode::kUnavailable,
               fmt::format("{}: the answer's headers are longer than {} bytes",
                           Describe(), kMaxHeaderBytes)};
    return false;
  }
  // Also after an interim answer.
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();
    return true;
  }
  const size_t colon = line.find(':');
  if (colon == line.npos) return true;
  HttpHeader header{std::string(Trim(line.substr(0, colon))),
                    std::string(Trim(line.substr(colon + 1)))};
  for (char& c : header.name) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  response_.headers.push_back(std::move(header));
  return true;
}

bool CurlTransfer::AddBody(std::string_view data) {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool wanted = !request_.out.empty() && (status == 200 || status == 206);
  const size_t room = wanted ? request_.out.size() - response_.filled
                             : request_.max_body_bytes - response_.body.size();
  if (data.size() > room) {
    failed_ = {
        StatusCode::kUnavailable,
        fmt::format("{}: the answer is longer than {} bytes", Describe(),
                    wanted ? request_.out.size() : request_.max_body_bytes)};
    return false;
  }
  if (wanted) {
    std::memcpy(request_.out.data() + response_.filled, data.data(),
                data.size());
    response_.filled += data.size();
  } else {
    response_.body.append(data);
  }
  return true;
}

std::string CurlTransfer::Describe() const {
  return fmt::format("{} {}", HttpMethodName(request_.method),
                     Origin(request_.url));
}

bool CurlTransfer::MayHaveReached() const {
  if (easy_ == nullptr || body_read_ < request_.body_length) return false;
  long sent = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &sent);
  return sent > 0;
}

HttpOutcome CurlTransfer::Outcome(CURLcode code) {
  HttpOutcome outcome;
  outcome.may_have_reached = MayHaveReached();
  if (!failed_.ok()) {
    outcome.status = std::move(failed_);
  } else if (code != CURLE_OK) {
    const char* why = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    outcome.status = {CodeOf(code), fmt::format("{}: {} (curl {})", Describe(),
                                                why, int{code})};
  }
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  outcome.response = std::move(response_);
  return outcome;
}

HttpOutcome CurlTransfer::GivenUp(Status why) {
  HttpOutcome outcome;
  outcome.may_have_reached = MayHaveReached();
  outcome.status = why.WithContext(Describe());
  return outcome;
}

}  // namespace strata
