// FakeS3: the least of S3 that lets a client be tested without a server, behind
// a FaultyHttpServer: whole objects, ranges, conditions, multipart, lists. It
// checks no signature; Ceph does (tests/servers).
#pragma once

#include <map>
#include <string>

#include "testing/faulty_http_server.h"

namespace strata {

// Called by one thread at a time; looked at when nothing is under way.
class FakeS3 {
 public:
  ServedReply Serve(const ServedRequest& request);

  struct Object {
    std::string bytes;
    HttpHeaders headers;  // x-amz-meta-*
  };
  // By path, "/bucket/key", as encoded.
  const std::map<std::string, Object>& objects() const { return objects_; }
  size_t uploads() const { return uploads_.size(); }
  // ETags are compared without quotes, as Ceph does.
  void WantBareEtags() { bare_etags_ = true; }

  static ServedReply Error(int status, const std::string& code,
                           const std::string& message = "");

 private:
  ServedReply Put(const ServedRequest& request);
  ServedReply Get(const ServedRequest& request);
  ServedReply Multipart(const ServedRequest& request);
  bool Holds(const ServedRequest& request) const;

  std::map<std::string, Object> objects_;
  std::map<std::string, std::map<int, std::string>> uploads_;  // by id
  int next_upload_ = 0;
  bool bare_etags_ = false;
};

}  // namespace strata
