// FaultyHttpServer: an HTTP/1.1 server on a free port of this machine that
// fails as servers and networks do, by script.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/http.h"
#include "runtime/condition.h"

namespace strata {

struct ServedRequest {
  std::string method;
  std::string target;  // path and query as sent
  HttpHeaders headers;
  std::string body;
  uint64_t connection = 0;  // which one it came on, from 0

  // Empty when there is none.
  std::string Header(std::string_view name) const {
    const std::string* value = FindHeader(headers, name);
    return value == nullptr ? std::string() : *value;
  }
  std::string Path() const { return target.substr(0, target.find('?')); }
};

struct ServedReply {
  int status = 200;
  HttpHeaders headers{};  // without Content-Length
  std::string body{};     // of a HEAD: what its length is of
};

// What goes wrong with one request.
struct ServerFault {
  enum class Kind {
    kReply,        // `reply` instead of what the handler says
    kResetBefore,  // connection reset; the handler is not asked
    kResetAfter,   // connection reset; the handler has acted
    kTruncate,     // half of the body, then the connection is closed
    kCorrupt,      // one bit of the body flipped
    kWrongLength,  // Content-Length one more than there is, connection kept
    kDrip,         // the body byte by byte
    kHang,         // nothing comes until the server goes
  };
  Kind kind = Kind::kReply;
  ServedReply reply{};
};

// Thread-safe; a thread for each connection.
class FaultyHttpServer {
 public:
  // Called on the connections' threads, one at a time.
  using Handler = std::function<ServedReply(const ServedRequest&)>;

  explicit FaultyHttpServer(Handler handler);
  ~FaultyHttpServer();

  std::string url() const;
  uint16_t port() const { return port_; }

  // The next requests meet these faults, in order.
  void FailNext(ServerFault fault);
  void FailNext(ServerFault::Kind kind) { FailNext(ServerFault{kind, {}}); }
  void FailNext(ServedReply reply) {
    FailNext(ServerFault{ServerFault::Kind::kReply, std::move(reply)});
  }
  // All that came, with their bodies.
  std::vector<ServedRequest> requests() const;
  // Blocks until `count` requests came.
  void WaitForRequests(size_t count);
  // Blocks until one with this method came.
  void WaitForMethod(std::string_view method);
  // Closes all connections after the answers under way: the next request on
  // one of them finds it broken.
  void CloseConnections();

 private:
  class Connection;

  void Accept();
  void Serve(int fd, uint64_t number);
  // Answers one request; false when the connection is over.
  bool Answer(int fd, const ServedRequest& request);

  const Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  mutable Mutex mu_;
  Mutex handling_;
  Condition changed_;
  std::deque<ServerFault> faults_ STRATA_GUARDED_BY(mu_);
  std::vector<ServedRequest> requests_ STRATA_GUARDED_BY(mu_);
  std::vector<int> open_ STRATA_GUARDED_BY(mu_);
  bool closed_ STRATA_GUARDED_BY(mu_) = false;
  std::list<std::thread> threads_;  // of the accepting thread
  std::thread accepting_;
};

}  // namespace strata
