#include "testing/faulty_http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"

namespace strata {
namespace {

// Appends what comes; false at the end of the connection.
bool Receive(int fd, std::string& buffer) {
  char bytes[16384];
  const ssize_t n = ::recv(fd, bytes, sizeof(bytes), 0);
  if (n <= 0) return false;
  buffer.append(bytes, static_cast<size_t>(n));
  return true;
}

bool Send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// The close that follows sends a reset.
void ResetAtClose(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

ServedRequest ParseHead(std::string_view head) {
  ServedRequest request;
  const size_t line = head.find("\r\n");
  const std::string_view first = head.substr(0, line);
  const size_t method = first.find(' ');
  request.method = first.substr(0, method);
  request.target = first.substr(method + 1, first.rfind(' ') - method - 1);
  for (head.remove_prefix(line + 2); !head.empty();) {
    const std::string_view field = head.substr(0, head.find("\r\n"));
    const size_t colon = field.find(':');
    size_t value = field.find_first_not_of(' ', colon + 1);
    if (value == field.npos) value = field.size();
    request.headers.push_back({std::string(field.substr(0, colon)),
                               std::string(field.substr(value))});
    head.remove_prefix(std::min(head.size(), field.size() + 2));
  }
  return request;
}

}  // namespace

FaultyHttpServer::FaultyHttpServer(Handler handler)
    : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  STRATA_CHECK(listener_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  STRATA_CHECK(::bind(listener_, generic, length) == 0);
  STRATA_CHECK(::listen(listener_, 64) == 0);
  STRATA_CHECK(::getsockname(listener_, generic, &length) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

FaultyHttpServer::~FaultyHttpServer() {
  {
    MutexLock lock(mu_);
    closed_ = true;
    for (int fd : open_) ::shutdown(fd, SHUT_RDWR);
    changed_.SignalAll();
  }
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::string FaultyHttpServer::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

void FaultyHttpServer::FailNext(ServerFault fault) {
  MutexLock lock(mu_);
  faults_.push_back(std::move(fault));
}

std::vector<ServedRequest> FaultyHttpServer::requests() const {
  MutexLock lock(mu_);
  return requests_;
}

void FaultyHttpServer::WaitForRequests(size_t count) {
  MutexLock lock(mu_);
  while (requests_.size() < count) changed_.Wait(mu_);
}

void FaultyHttpServer::WaitForMethod(std::string_view method) {
  MutexLock lock(mu_);
  while (std::ranges::none_of(requests_, [&](const ServedRequest& request) {
    return request.method == method;
  })) {
    changed_.Wait(mu_);
  }
}

void FaultyHttpServer::CloseConnections() {
  MutexLock lock(mu_);
  for (int fd : open_) ::shutdown(fd, SHUT_RD);
}

void FaultyHttpServer::Accept() {
  for (uint64_t number = 0;; ++number) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    {
      MutexLock lock(mu_);
      if (closed_) {
        ::close(fd);
        return;
      }
      open_.push_back(fd);
    }
    threads_.emplace_back([this, fd, number] { Serve(fd, number); });
  }
}

void FaultyHttpServer::Serve(int fd, uint64_t number) {
  std::string buffer;
  while (true) {
    size_t end = 0;
    while ((end = buffer.find("\r\n\r\n")) == buffer.npos) {
      if (!Receive(fd, buffer)) break;
    }
    if (end == buffer.npos) break;
    ServedRequest request = ParseHead(buffer.substr(0, end + 2));
    request.connection = number;
    buffer.erase(0, end + 4);
    const std::string length = request.Header("content-length");
    const size_t body = length.empty() ? 0 : std::stoul(length);
    while (buffer.size() < body && Receive(fd, buffer)) {
    }
    if (buffer.size() < body) break;
    request.body = buffer.substr(0, body);
    buffer.erase(0, body);
    if (!Answer(fd, request)) break;
  }
  MutexLock lock(mu_);
  std::erase(open_, fd);
  ::close(fd);
}

bool FaultyHttpServer::Answer(int fd, const ServedRequest& request) {
  using Kind = ServerFault::Kind;
  std::optional<ServerFault> fault;
  {
    MutexLock lock(mu_);
    if (!faults_.empty()) {
      fault = std::move(faults_.front());
      faults_.pop_front();
    }
    requests_.push_back(request);
    changed_.SignalAll();
    if (fault && fault->kind == Kind::kHang) {
      while (!closed_) changed_.Wait(mu_);
      return false;
    }
  }
  const auto met = [&](Kind kind) { return fault && fault->kind == kind; };
  if (met(Kind::kResetBefore)) {
    ResetAtClose(fd);
    return false;
  }
  ServedReply reply;
  if (met(Kind::kReply)) {
    reply = std::move(fault->reply);
  } else {
    MutexLock lock(handling_);
    reply = handler_(request);
  }
  if (met(Kind::kResetAfter)) {
    ResetAtClose(fd);
    return false;
  }
  if (met(Kind::kCorrupt) && !reply.body.empty()) {
    reply.body[reply.body.size() / 2] ^= 1;
  }
  const size_t declared = reply.body.size() + (met(Kind::kWrongLength) ? 1 : 0);
  std::string head = fmt::format("HTTP/1.1 {} Scripted\r\n", reply.status);
  if (reply.status != 204 && reply.status != 304) {
    head += fmt::format("Content-Length: {}\r\n", declared);
  }
  for (const HttpHeader& header : reply.headers) {
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (!Send(fd, head + "\r\n")) return false;
  if (request.method == "HEAD") return true;
  if (met(Kind::kTruncate)) {
    (void)Send(fd, reply.body.substr(0, reply.body.size() / 2));
    return false;
  }
  if (met(Kind::kDrip)) {
    for (char c : reply.body) {
      if (!Send(fd, {&c, 1})) return false;
    }
    return true;
  }
  return Send(fd, reply.body);
}

}  // namespace strata
