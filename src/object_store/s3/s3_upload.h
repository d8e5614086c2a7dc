// S3Upload: one object in parts, several at once. Nothing can be seen of it
// before all are there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "object_store/part_sender.h"
#include "object_store/s3/s3_connection.h"
#include "strata/object_store.h"

namespace strata {

// One life: initiate, parts, complete; on a failure the parts are given up at
// the server (as far as that answers; what stays is for the bucket's lifecycle
// rules or a clean-up by list). Thread-safe; kept alive by its requests.
class S3Upload : public std::enable_shared_from_this<S3Upload> {
 public:
  using Done = ObjectStore::Done<Result<ObjectVersion>>;

  struct Target {
    std::string key;
    HttpHeaders headers;  // of the object
    RequestLimits limits;
  };

  S3Upload(std::shared_ptr<S3Connection> connection, Target target,
           std::shared_ptr<ObjectSource> source, Done done);

  void Start();

 private:
  void Begin(const HttpAnswer& initiated);
  void SendPart(const ObjectPart& part, PartSender::Done done);
  void PartsSent(Status status);
  void Complete();
  void Completed(HttpAnswer answer);
  // Empty when the answer does not say.
  Result<ObjectVersion> VersionOf(const HttpResponse& response);
  void AskVersion();
  void Finish(Result<ObjectVersion> answer);
  void Abort(Status why);

  const std::shared_ptr<S3Connection> connection_;
  const Target target_;
  const PartPlan plan_;
  std::string upload_id_;  // set before the first part

  Mutex mu_;
  std::shared_ptr<ObjectSource> source_ STRATA_GUARDED_BY(mu_);
  Done done_ STRATA_GUARDED_BY(mu_);
  std::vector<std::string> etags_ STRATA_GUARDED_BY(mu_);
};

}  // namespace strata
