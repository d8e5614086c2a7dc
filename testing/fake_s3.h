// FakeS3: the least of S3 that lets a client be tested without a server, behind
// a FaultyHttpServer: whole objects, ranges, conditions, multipart, lists. It
// checks no signature; Ceph does (tests/servers).
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "testing/faulty_http_server.h"

namespace strata {

// Thread-safe.
class FakeS3 {
 public:
  ServedReply Serve(const ServedRequest& request);

  struct Object {
    std::string bytes;
    HttpHeaders headers;  // x-amz-meta-*
  };
  // By path, "/bucket/key", as encoded.
  std::map<std::string, Object> objects() const {
    MutexLock lock(mu_);
    return objects_;
  }
  size_t uploads() const {
    MutexLock lock(mu_);
    return uploads_.size();
  }
  // ETags are compared without quotes, as Ceph does.
  void WantBareEtags() {
    MutexLock lock(mu_);
    bare_etags_ = true;
  }

  static ServedReply Error(int status, const std::string& code,
                           const std::string& message = "");

 private:
  ServedReply Put(const ServedRequest& request) STRATA_REQUIRES(mu_);
  ServedReply Get(const ServedRequest& request) STRATA_REQUIRES(mu_);
  ServedReply Multipart(const ServedRequest& request) STRATA_REQUIRES(mu_);
  bool Holds(const ServedRequest& request) const STRATA_REQUIRES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Object> objects_ STRATA_GUARDED_BY(mu_);
  // By id.
  std::map<std::string, std::map<int, std::string>> uploads_
      STRATA_GUARDED_BY(mu_);
  int next_upload_ STRATA_GUARDED_BY(mu_) = 0;
  bool bare_etags_ STRATA_GUARDED_BY(mu_) = false;
};

}  // namespace strata
