#include "object_store/s3/s3_upload.h"

#include <algorithm>
#include <utility>

#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

constexpr uint64_t kMaxParts = 10000;
constexpr int kAttemptsPerPart = 4;
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::seconds kAbortTime{10};

uint64_t PartBytes(uint64_t size, uint64_t wanted) {
  return std::max(wanted, (size + kMaxParts - 1) / kMaxParts);
}

bool WorthAnotherTry(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kOverloaded;
}

}  // namespace

S3Upload::S3Upload(std::shared_ptr<S3Connection> connection, Target target,
                   std::shared_ptr<ObjectSource> source, Done done)
    : connection_(std::move(connection)),
      target_(std::move(target)),
      part_bytes_(PartBytes(source->size(), connection_->options().part_bytes)),
      parts_((source->size() + part_bytes_ - 1) / part_bytes_),
      source_(std::move(source)),
      done_(std::move(done)),
      etags_(parts_) {}

void S3Upload::Start() {
  connection_->Send({.method = HttpMethod::kPost,
                     .key = target_.key,
                     .query = {{"uploads", ""}},
                     .headers = target_.headers,
                     .limits = target_.limits},
                    [self = shared_from_this()](const S3Answer& answer) {
                      self->Begin(answer);
                    });
}

void S3Upload::Begin(const S3Answer& initiated) {
  if (!initiated.status.ok()) return Finish(initiated.status);
  auto id = ParseS3UploadId(initiated.response.body);
  if (!id.ok()) {
    return Finish(id.status().WithContext(connection_->Describe(target_.key)));
  }
  upload_id_ = *std::move(id);
  const size_t at_once =
      std::min<size_t>(parts_, connection_->options().parts_at_once);
  for (size_t i = 0; i < at_once; ++i) SendNext();
}

void S3Upload::SendNext() {
  size_t number = 0;
  {
    MutexLock lock(mu_);
    if (!failed_.ok() || next_part_ == parts_) return;
    number = next_part_++;
    ++under_way_;
  }
  SendPart(number, 1);
}

void S3Upload::SendPart(size_t number, int attempt) {
  std::shared_ptr<ObjectSource> source;
  {
    MutexLock lock(mu_);
    source = source_;
  }
  const uint64_t position = number * part_bytes_;
  const uint64_t length = std::min(part_bytes_, source->size() - position);
  // On a worker: the hash of a part may have to be made.
  connection_->http().executor().Post([self = shared_from_this(),
                                       source = std::move(source), position,
                                       length, number, attempt]() mutable {
    self->connection_->Send(
        {.method = HttpMethod::kPut,
         .key = self->target_.key,
         .query = {{"partNumber", std::to_string(number + 1)},
                   {"uploadId", self->upload_id_}},
         .body = std::move(source),  // no change: a part may be sent twice
         .body_position = position,
         .body_length = length,
         .limits = self->target_.limits},
        [self, number, attempt](S3Answer answer) {
          self->PartSent(number, attempt, std::move(answer));
        });
  });
}

void S3Upload::PartSent(size_t number, int attempt, S3Answer answer) {
  Status status = std::move(answer.status);
  const std::string* etag = answer.response.Find("etag");
  if (status.ok() && etag == nullptr) {
    status = {StatusCode::kUnavailable,
              connection_->Describe(target_.key) + ": a part without an ETag"};
  }
  bool last = false;
  {
    MutexLock lock(mu_);
    const bool again = !status.ok() && failed_.ok() &&
                       attempt < kAttemptsPerPart &&
                       WorthAnotherTry(status.code());
    if (again) {
      const Duration pause = std::max<Duration>(
          status.retry_after(), kFirstPause * (1 << (attempt - 1)));
      connection_->http().executor().PostAfter(
          pause, [self = shared_from_this(), number, attempt] {
            self->SendPart(number, attempt + 1);
          });
      return;
    }
    --under_way_;
    if (status.ok()) {
      etags_[number] = Unquoted(*etag);
      ++sent_;
    } else if (failed_.ok()) {
      failed_ = status;
    }
    if (!failed_.ok()) {
      if (under_way_ > 0) return;  // the last one aborts
      status = failed_;
    }
    last = sent_ == parts_;
  }
  if (!status.ok()) return Abort(std::move(status));
  last ? Complete() : SendNext();
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
                    [self = shared_from_this()](S3Answer answer) {
                      self->Completed(std::move(answer));
                    });
}

void S3Upload::Completed(S3Answer answer) {
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
      [](const S3Answer&) {});  // left-over parts cost money, not data
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
      [self = shared_from_this()](const S3Answer& head) {
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
