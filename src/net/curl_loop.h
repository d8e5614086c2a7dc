// CurlLoop: a libcurl multi handle and the thread that drives it.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/curl_transfer.h"
#include "runtime/service_pool.h"

namespace strata {

// Thread-safe. Answers go to an executor; the loop's own thread runs nothing of
// others but the sources of bodies.
class CurlLoop {
 public:
  // `answers` and `clock` outlive this.
  CurlLoop(const HttpClientOptions& options, Executor& answers,
           const Clock& clock);
  // Answers what is under way with kClosed, and joins the thread.
  ~CurlLoop();

  void Submit(std::unique_ptr<CurlTransfer> transfer);

 private:
  // A transfer between Submit and its answer. Touched by the thread only.
  struct Entry {
    std::unique_ptr<CurlTransfer> transfer;
    bool running = false;  // added to the multi handle
    std::optional<std::stop_callback<std::function<void()>>> on_cancel;
  };
  struct Multi {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  void Run();
  // One turn of the thread; false once closed.
  bool Turn();
  void Accept(uint64_t id, std::unique_ptr<CurlTransfer> transfer);
  // Moves waiting transfers to the multi handle while there is room.
  void StartWaiting();
  Status Start(Entry& entry);
  void TakeFinished();
  void GiveUpLate();
  void GiveUp(uint64_t id, Status why);
  void Answer(uint64_t id, HttpOutcome outcome);
  int PollTimeout() const;
  void Cancel(uint64_t id);

  const HttpClientOptions options_;
  Executor& answers_;
  const Clock& clock_;

  Mutex mu_;
  std::deque<std::unique_ptr<CurlTransfer>> submitted_ STRATA_GUARDED_BY(mu_);
  std::vector<uint64_t> cancelled_ STRATA_GUARDED_BY(mu_);
  bool closed_ STRATA_GUARDED_BY(mu_) = false;

  // The rest is the thread's, but for waking up the multi handle.
  const std::unique_ptr<CURLM, Multi> multi_;
  std::vector<CurlEasy> idle_;
  std::map<uint64_t, Entry> entries_;
  std::deque<uint64_t> waiting_;
  std::set<std::pair<MonotonicTime, uint64_t>> deadlines_;
  std::map<CURL*, uint64_t> running_;
  uint64_t next_id_ = 0;

  ServicePool thread_;  // last: ends first
};

}  // namespace strata
