#include "net/curl_http_client.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/curl_loop.h"
#include "runtime/service_pool.h"
#include "runtime/system_clock.h"

namespace strata {
namespace {

void InitCurlOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    STRATA_CHECK(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK);
  });
}

class CurlHttpClient final : public HttpClient {
 public:
  explicit CurlHttpClient(const HttpClientOptions& options)
      : workers_("http-done", options.workers) {
    STRATA_CHECK(options.loops > 0);
    for (size_t i = 0; i < options.loops; ++i) {
      loops_.push_back(std::make_unique<CurlLoop>(options, workers_, clock_));
    }
  }

  void Send(HttpRequest request, Done done) override {
    const size_t turn = next_.fetch_add(1, std::memory_order_relaxed);
    loops_[turn % loops_.size()]->Submit(
        std::make_unique<CurlTransfer>(std::move(request), std::move(done)));
  }

  Executor& executor() override { return workers_; }
  const Clock& clock() const override { return clock_; }

 private:
  const SystemClock clock_;
  ServicePool workers_;
  std::vector<std::unique_ptr<CurlLoop>> loops_;
  std::atomic<size_t> next_{0};  // a mere distribution
};

}  // namespace

std::shared_ptr<HttpClient> MakeCurlHttpClient(HttpClientOptions options) {
  InitCurlOnce();
  return std::make_shared<CurlHttpClient>(options);
}

}  // namespace strata
