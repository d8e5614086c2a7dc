// FakeAzure: the least of Azure Blob that lets a client be tested without a
// server, behind a FaultyHttpServer: whole blobs, blocks, ranges, conditions,
// lists with markers. It checks no signature; Azurite does (tests/servers).
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "testing/faulty_http_server.h"

namespace strata {

// Thread-safe.
class FakeAzure {
 public:
  ServedReply Serve(const ServedRequest& request);

  struct Blob {
    std::string bytes;
    std::string etag;
    HttpHeaders headers;  // x-ms-meta-*
  };
  // By path, "/account/container/key", as encoded.
  std::map<std::string, Blob> blobs() const {
    MutexLock lock(mu_);
    return blobs_;
  }

  static ServedReply Error(int status, const std::string& code,
                           const std::string& message = "");

 private:
  ServedReply Put(const ServedRequest& request) STRATA_REQUIRES(mu_);
  ServedReply Commit(const ServedRequest& request) STRATA_REQUIRES(mu_);
  ServedReply Store(const ServedRequest& request, std::string bytes)
      STRATA_REQUIRES(mu_);
  ServedReply Get(const ServedRequest& request) STRATA_REQUIRES(mu_);
  ServedReply List(const ServedRequest& request) STRATA_REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Blob> blobs_ STRATA_GUARDED_BY(mu_);
  // Staged blocks by path and id.
  std::map<std::string, std::map<std::string, std::string>> staged_
      STRATA_GUARDED_BY(mu_);
  int etags_ STRATA_GUARDED_BY(mu_) = 0;
};

}  // namespace strata
