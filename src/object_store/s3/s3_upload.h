// S3Upload: one object in parts, several at once. Nothing can be seen of it
// before all are there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "object_store/s3/s3_connection.h"
#include "strata/object_store.h"

namespace strata {

// One life: initiate, parts, complete; on a failure the parts are given up at
// the server (as far as that answers; what stays is for the bucket's lifecycle
// rules or a clean-up by list). A part is tried a few times, since the rest
// would be lost with it. Thread-safe; kept alive by its requests.
class S3Upload : public std::enable_shared_from_this<S3Upload> {
 public:
  using Done = ObjectStore::Done<Result<ObjectVersion>>;

  struct Target {
    std::string key;
    HttpHeaders headers;  // of the object
    S3Limits limits;
  };

  S3Upload(std::shared_ptr<S3Connection> connection, Target target,
           std::shared_ptr<ObjectSource> source, Done done);

  void Start();

 private:
  void Begin(const S3Answer& initiated);
  // Sends the next part, if there is one and nothing has failed.
  void SendNext();
  void SendPart(size_t number, int attempt);
  void PartSent(size_t number, int attempt, S3Answer answer);
  void Complete();
  void Completed(S3Answer answer);
  // Empty when the answer does not say.
  Result<ObjectVersion> VersionOf(const HttpResponse& response);
  void AskVersion();
  void Finish(Result<ObjectVersion> answer);
  void Abort(Status why);

  const std::shared_ptr<S3Connection> connection_;
  const Target target_;
  const uint64_t part_bytes_;
  const size_t parts_;
  std::string upload_id_;  // set before the first part

  Mutex mu_;
  std::shared_ptr<ObjectSource> source_ STRATA_GUARDED_BY(mu_);
  Done done_ STRATA_GUARDED_BY(mu_);
  size_t next_part_ STRATA_GUARDED_BY(mu_) = 0;
  size_t under_way_ STRATA_GUARDED_BY(mu_) = 0;
  size_t sent_ STRATA_GUARDED_BY(mu_) = 0;
  std::vector<std::string> etags_ STRATA_GUARDED_BY(mu_);
  Status failed_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
