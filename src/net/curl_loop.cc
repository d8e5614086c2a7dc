#include "net/curl_loop.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "base/check.h"

namespace strata {
namespace {

// Looked at least so often; everything that matters wakes the thread up.
constexpr int kMaxPollMs = 1000;

// libcurl is told not to touch signal handlers; a write to a closed
// connection is an error of that write.
void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

CurlLoop::CurlLoop(const HttpClientOptions& options, Executor& answers,
                   const Clock& clock)
    : options_(options),
      answers_(answers),
      clock_(clock),
      multi_(curl_multi_init()),
      thread_("http", 1) {
  STRATA_CHECK(multi_ != nullptr);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                    static_cast<long>(options_.max_connections));
  thread_.Post([this] { Run(); });
}

CurlLoop::~CurlLoop() {
  MutexLock lock(mu_);
  closed_ = true;
  curl_multi_wakeup(multi_.get());
}

void CurlLoop::Submit(std::unique_ptr<CurlTransfer> transfer) {
  MutexLock lock(mu_);
  submitted_.push_back(std::move(transfer));
  curl_multi_wakeup(multi_.get());
}

void CurlLoop::Cancel(uint64_t id) {
  MutexLock lock(mu_);
  cancelled_.push_back(id);
  curl_multi_wakeup(multi_.get());
}

void CurlLoop::Run() {
  BlockBrokenPipeSignal();
  while (Turn()) {
    curl_multi_poll(multi_.get(), nullptr, 0, PollTimeout(), nullptr);
  }
  while (!entries_.empty()) {
    GiveUp(entries_.begin()->first,
           {StatusCode::kClosed, "the client is closed"});
  }
}

bool CurlLoop::Turn() {
  std::deque<std::unique_ptr<CurlTransfer>> submitted;
  std::vector<uint64_t> cancelled;
  bool closed = false;
  {
    MutexLock lock(mu_);
    submitted.swap(submitted_);
    cancelled.swap(cancelled_);
    closed = closed_;
  }
  for (auto& transfer : submitted) Accept(next_id_++, std::move(transfer));
  for (uint64_t id : cancelled) {
    GiveUp(id, {StatusCode::kCancelled, "request cancelled"});
  }
  if (closed) return false;
  GiveUpLate();
  StartWaiting();
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  TakeFinished();
  StartWaiting();
  return true;
}

void CurlLoop::Accept(uint64_t id, std::unique_ptr<CurlTransfer> transfer) {
  const HttpRequest& request = transfer->request();
  const bool cancelled = request.cancel.stop_requested();
  if (request.deadline) deadlines_.emplace(*request.deadline, id);
  Entry& entry = entries_[id];
  entry.transfer = std::move(transfer);
  if (cancelled) {
    return GiveUp(id, {StatusCode::kCancelled, "request cancelled"});
  }
  if (request.cancel.stop_possible()) {
    entry.on_cancel.emplace(request.cancel, [this, id] { Cancel(id); });
  }
  waiting_.push_back(id);
}

void CurlLoop::StartWaiting() {
  while (!waiting_.empty() && running_.size() < options_.max_connections) {
    const uint64_t id = waiting_.front();
    waiting_.pop_front();
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;  // given up meanwhile
    Status started = Start(found->second);
    if (!started.ok()) {
      Answer(id, {.status = std::move(started)});
      continue;
    }
    running_.emplace(found->second.transfer->easy(), id);
  }
}

Status CurlLoop::Start(Entry& entry) {
  CurlEasy easy;
  if (idle_.empty()) {
    easy.reset(curl_easy_init());
    STRATA_CHECK(easy != nullptr);
  } else {
    easy = std::move(idle_.back());
    idle_.pop_back();
  }
  STRATA_RETURN_IF_ERROR(entry.transfer->Prepare(std::move(easy), options_));
  const CURLMcode added =
      curl_multi_add_handle(multi_.get(), entry.transfer->easy());
  if (added != CURLM_OK) {
    return {StatusCode::kUnavailable, curl_multi_strerror(added)};
  }
  entry.running = true;
  return Status::Ok();
}

void CurlLoop::TakeFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const auto found = running_.find(message->easy_handle);
    STRATA_CHECK(found != running_.end());
    const uint64_t id = found->second;
    Answer(id, entries_.at(id).transfer->Outcome(code));
  }
}

void CurlLoop::GiveUpLate() {
  const MonotonicTime now = clock_.Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    GiveUp(deadlines_.begin()->second,
           {StatusCode::kDeadlineExceeded, "no answer in time"});
  }
}

void CurlLoop::GiveUp(uint64_t id, Status why) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;  // answered
  Answer(id, found->second.transfer->GivenUp(std::move(why)));
}

void CurlLoop::Answer(uint64_t id, HttpOutcome outcome) {
  auto node = entries_.extract(id);
  Entry& entry = node.mapped();
  if (const auto& deadline = entry.transfer->request().deadline) {
    deadlines_.erase({*deadline, id});
  }
  entry.on_cancel.reset();
  CurlEasy easy = entry.transfer->TakeEasy();
  if (entry.running) {
    running_.erase(easy.get());
    curl_multi_remove_handle(multi_.get(), easy.get());
    curl_easy_reset(easy.get());
    if (idle_.size() < options_.max_connections) {
      idle_.push_back(std::move(easy));
    }
  }
  // What the caller's objects do when they go is none of this thread's
  // business: they leave with the answer.
  answers_.Post([transfer = std::move(entry.transfer),
                 outcome = std::move(outcome)]() mutable {
    HttpClient::Done done = transfer->TakeDone();
    transfer.reset();
    done(std::move(outcome));
  });
}

int CurlLoop::PollTimeout() const {
  if (deadlines_.empty()) return kMaxPollMs;
  const Duration left = deadlines_.begin()->first - clock_.Now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(ms, 0, kMaxPollMs));
}

}  // namespace strata
