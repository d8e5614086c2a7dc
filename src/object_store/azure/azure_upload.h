// AzureUpload: one blob in blocks, several at once. Nothing can be seen of it
// before its list of blocks is committed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "object_store/azure/azure_connection.h"
#include "object_store/part_sender.h"
#include "strata/object_store.h"

namespace strata {

// One life: stage the blocks, commit their list, which alone is under a
// condition. Blocks of an upload that fails cannot be deleted; the service
// drops them when the blob is written again, or after a week.
//
// Their ids begin with a number drawn for this upload: two writers of one key
// who used the same ids would get a blob of both their blocks. Thread-safe;
// kept alive by its requests.
class AzureUpload : public std::enable_shared_from_this<AzureUpload> {
 public:
  using Done = ObjectStore::Done<Result<ObjectVersion>>;

  struct Target {
    std::string key;
    HttpHeaders headers;  // of the blob, with its condition
    bool conditional = false;
    RequestLimits limits;
  };

  AzureUpload(std::shared_ptr<AzureConnection> connection, Target target,
              std::shared_ptr<ObjectSource> source, Done done);

  void Start();

 private:
  std::string BlockId(size_t number) const;
  void SendBlock(const ObjectPart& part, PartSender::Done done);
  void BlocksSent(Status status);
  void Finish(Result<ObjectVersion> answer);

  const std::shared_ptr<AzureConnection> connection_;
  const Target target_;
  const PartPlan plan_;
  const uint64_t id_high_;
  const uint64_t id_low_;

  Mutex mu_;
  std::shared_ptr<ObjectSource> source_ STRATA_GUARDED_BY(mu_);
  Done done_ STRATA_GUARDED_BY(mu_);
};

// The version that the answer to a put tells. kUnknown when it does not: what
// was put is there, but nobody can say as what.
Result<ObjectVersion> AzureVersionOf(const AzureConnection& connection,
                                     std::string_view key,
                                     const HttpResponse& response);

}  // namespace strata
