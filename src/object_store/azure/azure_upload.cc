#include "object_store/azure/azure_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "net/digest.h"
#include "object_store/azure/azure_xml.h"

namespace strata {
namespace {

uint64_t BlockBytes(uint64_t size, uint64_t wanted) {
  return std::max(wanted, (size + kMaxAzureBlocks - 1) / kMaxAzureBlocks);
}

}  // namespace

AzureUpload::AzureUpload(std::shared_ptr<AzureConnection> connection,
                         Target target, std::shared_ptr<ObjectSource> source,
                         Done done)
    : connection_(std::move(connection)),
      target_(std::move(target)),
      plan_{.object_bytes = source->size(),
            .part_bytes =
                BlockBytes(source->size(), connection_->options().block_bytes),
            .at_once = connection_->options().blocks_at_once},
      id_high_(connection_->random().Next()),
      id_low_(connection_->random().Next()),
      source_(std::move(source)),
      done_(std::move(done)) {}

void AzureUpload::Start() {
  std::make_shared<PartSender>(
      connection_->http().executor(), plan_,
      [self = shared_from_this()](const ObjectPart& part, auto done) {
        self->SendBlock(part, std::move(done));
      },
      [self = shared_from_this()](Status status) {
        self->BlocksSent(std::move(status));
      })
      ->Start();
}

// All of one length, as the service wants it of one blob.
std::string AzureUpload::BlockId(size_t number) const {
  return ToBase64(
      AsBytes(fmt::format("{:016x}{:016x}-{:06}", id_high_, id_low_, number)));
}

void AzureUpload::SendBlock(const ObjectPart& part, PartSender::Done done) {
  std::shared_ptr<ObjectSource> source;
  {
    MutexLock lock(mu_);
    source = source_;
  }
  auto md5 = ContentMd5(*source, part.position, part.length);
  if (!md5.ok()) return done(std::move(md5).status());
  connection_->Send(
      {.method = HttpMethod::kPut,
       .key = target_.key,
       .query = {{"comp", "block"}, {"blockid", BlockId(part.number)}},
       .headers = {{"Content-MD5", *std::move(md5)}},
       .body = std::move(source),  // no change: a block may be sent twice
       .body_position = part.position,
       .body_length = part.length,
       .limits = target_.limits},
      [self = shared_from_this(), done = std::move(done)](
          const HttpAnswer& answer) { done(answer.status); });
}

void AzureUpload::BlocksSent(Status status) {
  if (!status.ok()) return Finish(std::move(status));
  std::vector<std::string> ids;
  for (size_t i = 0; i < plan_.parts(); ++i) ids.push_back(BlockId(i));
  std::string xml = MakeAzureBlockList(ids);
  HttpHeaders headers = target_.headers;
  headers.push_back({"Content-MD5", ToBase64(Md5(AsBytes(xml)))});
  const uint64_t length = xml.size();
  connection_->Send(
      {.method = HttpMethod::kPut,
       .key = target_.key,
       .query = {{"comp", "blocklist"}},
       .headers = std::move(headers),
       .changes = true,
       .conditional = target_.conditional,
       .body = MakeStringSource(std::move(xml)),
       .body_length = length,
       .limits = target_.limits},
      [self = shared_from_this()](const HttpAnswer& answer) {
        if (!answer.status.ok()) return self->Finish(answer.status);
        self->Finish(AzureVersionOf(*self->connection_, self->target_.key,
                                    answer.response));
      });
}

void AzureUpload::Finish(Result<ObjectVersion> answer) {
  Done done;
  {
    MutexLock lock(mu_);
    source_.reset();
    done = std::move(done_);
  }
  done(std::move(answer));
}

Result<ObjectVersion> AzureVersionOf(const AzureConnection& connection,
                                     std::string_view key,
                                     const HttpResponse& response) {
  const std::string* etag = response.Find("etag");
  if (etag != nullptr && !Unquoted(*etag).empty()) {
    return ObjectVersion(Unquoted(*etag));
  }
  return Status(StatusCode::kUnknown, fmt::format("{}: the answer has no ETag",
                                                  connection.Describe(key)));
}

}  // namespace strata
