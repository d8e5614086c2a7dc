#include "object_store/s3/s3_upload.h"

#include <algorithm>
#include <utility>

#include "object_store/http_meaning.h"
#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

constexpr uint64_t kMaxParts = 10000;
constexpr std::chrono::seconds kAbortTime{10};

uint64_t PartBytes(uint64_t size, uint64_t wanted) {
  return std::max(wanted, (size + kMaxParts - 1) / kMaxParts);
}

}  // namespace

S3Upload::S3Upload(std::shared_ptr<S3Connection> connection, Target target,
                   std::shared_ptr<ObjectSource> source, Done done)
    : connection_(std::move(connection)),
      target_(std::move(target)),
      plan_{.object_bytes = source->size(),
            .part_bytes =
                PartBytes(source->size(), connection_->options().part_bytes),
            .at_once = connection_->options().parts_at_once},
      source_(std::move(source)),
      done_(std::move(done)),
      etags_(plan_.parts()) {}

void S3Upload::Start() {
  connection_->Send({.method = HttpMethod::kPost,
                     .key = target_.key,
                     .query = {{"uploads", ""}},
                     .headers = target_.headers,
                     .limits = target_.limits},
                    [self = shared_from_this()](const HttpAnswer& answer) {
                      self->Begin(answer);
                    });
}

void S3Upload::Begin(const HttpAnswer& initiated) {
  if (!initiated.status.ok()) return Finish(initiated.status);
  auto id = ParseS3UploadId(initiated.response.body);
  if (!id.ok()) {
    return Finish(id.status().WithContext(connection_->Describe(target_.key)));
  }
  upload_id_ = *std::move(id);
  std::make_shared<PartSender>(
      connection_->http().executor(), plan_,
      [self = shared_from_this()](const ObjectPart& part, auto done) {
        self->SendPart(part, std::move(done));
      },
      [self = shared_from_this()](Status status) {
        self->PartsSent(std::move(status));
      })
      ->Start();
}

void S3Upload::SendPart(const ObjectPart& part, PartSender::Done done) {
  std::shared_ptr<ObjectSource> source;
  {
    MutexLock lock(mu_);
    source = source_;
  }
  connection_->Send(
      {.method = HttpMethod::kPut,
       .key = target_.key,
       .query = {{"partNumber", std::to_string(part.number + 1)},
                 {"uploadId", upload_id_}},
       .body = std::move(source),  // no change: a part may be sent twice
       .body_position = part.position,
       .body_length = part.length,
       .limits = target_.limits},
      [self = shared_from_this(), number = part.number,
       done = std::move(done)](const HttpAnswer& answer) {
        if (!answer.status.ok()) return done(answer.status);
        const std::string* etag = answer.response.Find("etag");
        if (etag == nullptr) {
          return done({StatusCode::kUnavailable,
                       self->connection_->Describe(self->target_.key) +
                           ": a part without an ETag"});
        }
        {
          MutexLock lock(self->mu_);
          self->etags_[number] = Unquoted(*etag);
        }
        done(Status::Ok());
      });
}

void S3Upload::PartsSent(Status status) {
  status.ok() ? Complete() : Abort(std::move(status));
}

void S3Upload::Complete() {
  std::string xml;
  {
    MutexLock lock(mu_);
    xml = MakeS3Complete(etags_);
  }
  const uint64_t length = xml.size();
  connection_->Send({.method = HttpMethod::kPost,
                     .key = target_.key,
                     .query = {{"uploadId", upload_id_}},
                     .changes = true,
                     .body = MakeStringSource(std::move(xml)),
                     .body_length = length,
                     .limits = target_.limits},
                    [self = shared_from_this()](HttpAnswer answer) {
                      self->Completed(std::move(answer));
                    });
}

void S3Upload::Completed(HttpAnswer answer) {
  const Status& status = answer.status;
  // Where it is not known whether the object is there, its parts are left
  // alone.
  if (status.code() == StatusCode::kUnknown) return Finish(status);
  if (!status.ok()) return Abort(status);
  auto version = VersionOf(answer.response);
  if (!version.ok() || !version->empty()) return Finish(std::move(version));
  AskVersion();
}

void S3Upload::Abort(Status why) {
  Finish(std::move(why));
  connection_->Send(
      {.method = HttpMethod::kDelete,
       .key = target_.key,
       .query = {{"uploadId", upload_id_}},
       .limits = {.deadline = connection_->http().clock().Now() + kAbortTime}},
      [](const HttpAnswer&) {});  // left-over parts cost money, not data
}

Result<ObjectVersion> S3Upload::VersionOf(const HttpResponse& response) {
  if (connection_->options().dialect == S3Dialect::kGoogle) {
    const std::string* generation = response.Find("x-goog-generation");
    return generation != nullptr ? *generation : "";
  }
  auto etag = ParseS3Completed(response.body);
  if (!etag.ok()) {
    return Status(StatusCode::kUnknown, etag.status().message())
        .WithContext(connection_->Describe(target_.key));
  }
  if (!etag->empty()) return etag;
  MutexLock lock(mu_);
  return EtagOfParts(etags_).value_or("");
}

// The object is there, and the answer did not say as what.
void S3Upload::AskVersion() {
  connection_->Send(
      {.method = HttpMethod::kHead,
       .key = target_.key,
       .limits = target_.limits},
      [self = shared_from_this()](const HttpAnswer& head) {
        const bool google =
            self->connection_->options().dialect == S3Dialect::kGoogle;
        const std::string* version =
            head.response.Find(google ? "x-goog-generation" : "etag");
        if (head.status.ok() && version != nullptr) {
          return self->Finish(ObjectVersion(Unquoted(*version)));
        }
        self->Finish(Status(StatusCode::kUnknown,
                            self->connection_->Describe(self->target_.key) +
                                ": stored, but its version is not known"));
      });
}

void S3Upload::Finish(Result<ObjectVersion> answer) {
  Done done;
  {
    MutexLock lock(mu_);
    source_.reset();
    done = std::move(done_);
  }
  done(std::move(answer));
}

}  // namespace strata
