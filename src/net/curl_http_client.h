// The HTTP client on libcurl.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "net/http.h"

namespace strata {

struct HttpClientOptions {
  // Threads that move bytes; each has its own connections. They read the
  // bodies of requests, from disk if need be.
  size_t loops = 1;
  // Threads of executor().
  size_t workers = 2;
  // Requests under way per loop; others wait for their turn.
  size_t max_connections = 64;
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // A transfer that moves less than a byte a second for so long is broken off,
  // whatever its deadline. Whole seconds, at least one.
  std::chrono::seconds stall_timeout{60};
  // A connection unused for longer is not used again: servers close theirs.
  std::chrono::seconds max_idle{20};
  // PEM file of the authorities to trust. Empty: those of the system.
  std::string ca_bundle{};
};

// HTTP/1.1 over TCP or TLS 1.2 and above, the certificate verified; redirects
// are answers. Honours http_proxy, https_proxy and no_proxy of the
// environment, but for addresses of this machine and its link. A request costs
// one copy of its bodies, libcurl's.
//
// The destructor breaks off what is under way (kClosed), runs the answers and
// joins the threads; on a thread of executor() it leaves those to end by
// themselves.
std::shared_ptr<HttpClient> MakeCurlHttpClient(HttpClientOptions options = {});

}  // namespace strata
