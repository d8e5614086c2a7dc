#include "object_store/s3/s3_object_store.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "base/crc32c.h"
#include "object_store/http_meaning.h"
#include "object_store/http_range.h"
#include "object_store/read_through.h"
#include "object_store/s3/s3_connection.h"
#include "object_store/s3/s3_upload.h"
#include "object_store/s3/s3_xml.h"

namespace strata {
namespace {

constexpr uint64_t kMaxObjectBytes = uint64_t{5} << 40;
constexpr std::string_view kChecksumName = "meta-crc32c";

// Thread-safe.
class S3ObjectStore final : public ObjectStore,
                            public std::enable_shared_from_this<S3ObjectStore> {
 public:
  explicit S3ObjectStore(std::shared_ptr<S3Connection> connection)
      : connection_(std::move(connection)) {}

  std::string Describe() const override { return connection_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return {.put_if_absent = true,
            .put_if_version = true,
            .max_object_bytes = kMaxObjectBytes,
            .multipart_above_bytes = options().multipart_above_bytes};
  }
  void Put(std::string key, std::shared_ptr<ObjectSource> source,
           PutPrecondition precondition, ObjectRequest request,
           Done<Result<ObjectVersion>> done) override;
  void Get(std::string key, uint64_t position, std::span<std::byte> out,
           ObjectRequest request, Done<Result<size_t>> done) override;
  void Head(std::string key, ObjectRequest request,
            Done<Result<ObjectInfo>> done) override;
  void Delete(std::string key, ObjectRequest request,
              Done<Status> done) override;
  void List(std::string prefix, std::string after, size_t limit,
            ObjectRequest request, Done<Result<ListPage>> done) override;

 private:
  // How a server wants the ETag in If-Match. AWS takes what it answered, with
  // quotes; Ceph compares the bare text and so finds the quoted one different.
  enum class EtagForm : uint8_t { kNotKnown, kQuoted, kBare };
  struct PutJob {
    std::string key;
    std::shared_ptr<ObjectSource> source;
    PutPrecondition precondition;
    RequestLimits limits;
    std::string checksum;
  };

  const S3Options& options() const { return connection_->options(); }
  bool google() const { return options().dialect == S3Dialect::kGoogle; }

  // Runs `work(limits)` on a worker unless the request is given up or `valid`
  // is not Ok, which is answered there.
  template <typename T, typename Work>
  void Run(Status valid, ObjectRequest request, Done<T> done, Work work);

  void BeginPut(PutJob job, Done<Result<ObjectVersion>> done);
  void PutWhole(PutJob job, EtagForm form, Done<Result<ObjectVersion>> done);
  void PutAnswered(PutJob job, EtagForm form, HttpAnswer answer,
                   Done<Result<ObjectVersion>> done);
  HttpHeaders ObjectHeaders(const std::string& checksum) const;
  HttpHeader ConditionHeader(const PutPrecondition& precondition,
                             EtagForm form) const;
  Result<ObjectVersion> VersionOf(const std::string& key,
                                  const HttpResponse& response) const;

  void HeadNow(std::string key, RequestLimits limits,
               Done<Result<ObjectInfo>> done);
  Result<ObjectInfo> InfoOf(std::string key,
                            const HttpResponse& response) const;
  // Whether a 404 without words means the key or the bucket.
  void TellAbsence(std::string key, RequestLimits limits, Status absent,
                   Done<Result<ObjectInfo>> done);
  void ListNow(QueryParameters query, RequestLimits limits,
               Done<Result<ListPage>> done);
  void SawBucket() { bucket_seen_.store(true, std::memory_order_relaxed); }

  const std::shared_ptr<S3Connection> connection_;
  // Independent facts, relaxed order: who reads an old one asks once more.
  std::atomic<EtagForm> etag_form_{EtagForm::kNotKnown};
  std::atomic<bool> bucket_seen_{false};
};

template <typename T, typename Work>
void S3ObjectStore::Run(Status valid, ObjectRequest request, Done<T> done,
                        Work work) {
  StartRequest<T>(connection_->http(), std::move(valid), std::move(request),
                  std::move(done),
                  [self = shared_from_this(), work = std::move(work)](
                      RequestLimits limits, Done<T> answer) mutable {
                    work(*self, std::move(limits), std::move(answer));
                  });
}

void S3ObjectStore::Put(std::string key, std::shared_ptr<ObjectSource> source,
                        PutPrecondition precondition, ObjectRequest request,
                        Done<Result<ObjectVersion>> done) {
  Status valid = ValidateObjectKey(key);
  const uint64_t size = source->size();
  const bool plain = precondition.kind == PutPrecondition::Kind::kNone;
  if (valid.ok() && size > (plain ? kMaxObjectBytes : kMaxS3SinglePutBytes)) {
    valid = {StatusCode::kInvalidArgument,
             fmt::format("{}: {} bytes are too many for one {}",
                         connection_->Describe(key), size,
                         plain ? "object" : "conditional put")};
  }
  Run<Result<ObjectVersion>>(
      std::move(valid), std::move(request), std::move(done),
      [job = PutJob{.key = std::move(key),
                    .source = std::move(source),
                    .precondition = std::move(precondition),
                    .limits = {},
                    .checksum = {}}](S3ObjectStore& self, RequestLimits limits,
                                     auto answer) mutable {
        job.limits = std::move(limits);
        self.BeginPut(std::move(job), std::move(answer));
      });
}

void S3ObjectStore::BeginPut(PutJob job, Done<Result<ObjectVersion>> done) {
  uint32_t crc = Crc32c({});
  Status read =
      ReadThrough(*job.source, 0, job.source->size(),
                  [&](ByteSpan bytes) { crc = ExtendCrc32c(crc, bytes); });
  if (!read.ok()) return done(std::move(read));
  job.checksum = fmt::format("{:08x}", crc);

  const bool in_parts = job.precondition.kind == PutPrecondition::Kind::kNone &&
                        job.source->size() > options().multipart_above_bytes;
  if (!in_parts) {
    const EtagForm known = etag_form_.load(std::memory_order_relaxed);
    const EtagForm form =
        known == EtagForm::kNotKnown ? EtagForm::kQuoted : known;
    return PutWhole(std::move(job), form, std::move(done));
  }
  std::make_shared<S3Upload>(
      connection_,
      S3Upload::Target{.key = std::move(job.key),
                       .headers = ObjectHeaders(job.checksum),
                       .limits = std::move(job.limits)},
      std::move(job.source), std::move(done))
      ->Start();
}

void S3ObjectStore::PutWhole(PutJob job, EtagForm form,
                             Done<Result<ObjectVersion>> done) {
  HttpCall call{.method = HttpMethod::kPut,
                .key = job.key,
                .headers = ObjectHeaders(job.checksum),
                .changes = true,
                .body = job.source,
                .body_length = job.source->size(),
                .limits = job.limits};
  if (job.precondition.kind != PutPrecondition::Kind::kNone) {
    call.conditional = true;
    call.headers.push_back(ConditionHeader(job.precondition, form));
  }
  connection_->Send(std::move(call),
                    [self = shared_from_this(), job = std::move(job), form,
                     done = std::move(done)](HttpAnswer answer) mutable {
                      self->PutAnswered(std::move(job), form, std::move(answer),
                                        std::move(done));
                    });
}

void S3ObjectStore::PutAnswered(PutJob job, EtagForm form, HttpAnswer answer,
                                Done<Result<ObjectVersion>> done) {
  const bool if_match =
      job.precondition.kind == PutPrecondition::Kind::kVersion && !google();
  if (answer.status.ok()) {
    SawBucket();
    if (if_match) etag_form_.store(form, std::memory_order_relaxed);
    job.source.reset();
    return done(VersionOf(job.key, answer.response));
  }
  // Perhaps the version is another one, perhaps only its quotes are.
  const bool ask_bare =
      if_match && form == EtagForm::kQuoted && answer.response.status == 412 &&
      etag_form_.load(std::memory_order_relaxed) == EtagForm::kNotKnown;
  if (ask_bare) {
    return connection_->http().executor().Post(
        [self = shared_from_this(), job = std::move(job),
         done = std::move(done)]() mutable {
          self->PutWhole(std::move(job), EtagForm::kBare, std::move(done));
        });
  }
  job.source.reset();
  done(std::move(answer.status));
}

HttpHeaders S3ObjectStore::ObjectHeaders(const std::string& checksum) const {
  HttpHeaders headers;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      headers.push_back({connection_->HeaderName(name), value});
    }
  };
  add(kChecksumName, checksum);
  add("storage-class", options().storage_class);
  if (!google()) {
    add("server-side-encryption", options().server_side_encryption);
    add("server-side-encryption-aws-kms-key-id", options().kms_key_id);
  } else {
    add("encryption-kms-key-name", options().kms_key_id);
  }
  return headers;
}

HttpHeader S3ObjectStore::ConditionHeader(const PutPrecondition& precondition,
                                          EtagForm form) const {
  const bool absent = precondition.kind == PutPrecondition::Kind::kAbsent;
  if (google()) {
    return {"x-goog-if-generation-match", absent ? "0" : precondition.version};
  }
  if (absent) return {"If-None-Match", "*"};
  return {"If-Match", form == EtagForm::kBare
                          ? precondition.version
                          : '"' + precondition.version + '"'};
}

Result<ObjectVersion> S3ObjectStore::VersionOf(
    const std::string& key, const HttpResponse& response) const {
  const char* name = google() ? "x-goog-generation" : "etag";
  const std::string* version = response.Find(name);
  if (version != nullptr && !version->empty()) {
    return ObjectVersion(Unquoted(*version));
  }
  // What was put is there, but nobody can say as what.
  return Status(StatusCode::kUnknown,
                fmt::format("{}: the answer has no {}",
                            connection_->Describe(key), name));
}

void S3ObjectStore::Get(std::string key, uint64_t position,
                        std::span<std::byte> out, ObjectRequest request,
                        Done<Result<size_t>> done) {
  Status valid = ValidateObjectKey(key);
  auto memory = std::move(request.memory);
  Run<Result<size_t>>(
      std::move(valid), std::move(request), std::move(done),
      [key = std::move(key), position, out, memory = std::move(memory)](
          S3ObjectStore& self, RequestLimits limits, auto answer) mutable {
        if (out.empty()) {  // there is no range of nothing
          return self.HeadNow(std::move(key), std::move(limits),
                              [answer](const Result<ObjectInfo>& info) {
                                if (!info.ok()) return answer(info.status());
                                answer(size_t{0});
                              });
        }
        HttpCall call{
            .method = HttpMethod::kGet,
            .key = key,
            .headers = {{"Range", fmt::format("bytes={}-{}", position,
                                              position + out.size() - 1)}},
            .out = out,
            .memory = std::move(memory),
            .limits = std::move(limits)};
        self.connection_->Send(
            std::move(call),
            [store = self.shared_from_this(), key = std::move(key), position,
             out, answer = std::move(answer)](const HttpAnswer& got) {
              if (!got.status.ok()) return answer(got.status);
              store->SawBucket();
              answer(
                  CheckRange({.what = store->connection_->Describe(key),
                              .checksum_header =
                                  store->connection_->HeaderName(kChecksumName),
                              .position = position,
                              .out = out},
                             got.response));
            });
      });
}

void S3ObjectStore::Head(std::string key, ObjectRequest request,
                         Done<Result<ObjectInfo>> done) {
  Status valid = ValidateObjectKey(key);
  Run<Result<ObjectInfo>>(
      std::move(valid), std::move(request), std::move(done),
      [key = std::move(key)](S3ObjectStore& self, RequestLimits limits,
                             auto answer) mutable {
        self.HeadNow(std::move(key), std::move(limits), std::move(answer));
      });
}

void S3ObjectStore::HeadNow(std::string key, RequestLimits limits,
                            Done<Result<ObjectInfo>> done) {
  HttpCall call{.method = HttpMethod::kHead, .key = key, .limits = limits};
  connection_->Send(
      std::move(call), [self = shared_from_this(), key = std::move(key),
                        limits = std::move(limits), done = std::move(done)](
                           const HttpAnswer& answer) mutable {
        if (answer.status.ok()) {
          self->SawBucket();
          return done(self->InfoOf(std::move(key), answer.response));
        }
        const bool unsure = answer.status.code() == StatusCode::kNotFound &&
                            !self->bucket_seen_.load(std::memory_order_relaxed);
        if (!unsure) return done(answer.status);
        self->TellAbsence(std::move(key), std::move(limits), answer.status,
                          std::move(done));
      });
}

void S3ObjectStore::TellAbsence(std::string key, RequestLimits limits,
                                Status absent, Done<Result<ObjectInfo>> done) {
  connection_->Send({.method = HttpMethod::kGet,
                     .query = {{"list-type", "2"}, {"max-keys", "1"}},
                     .limits = std::move(limits)},
                    [self = shared_from_this(), key = std::move(key), absent,
                     done = std::move(done)](const HttpAnswer& answer) {
                      if (!answer.status.ok()) return done(answer.status);
                      self->SawBucket();
                      done(absent);
                    });
}

Result<ObjectInfo> S3ObjectStore::InfoOf(std::string key,
                                         const HttpResponse& response) const {
  const std::string* length = response.Find("content-length");
  const auto size = ParseDecimal(length ? *length : "");
  auto version = VersionOf(key, response);
  if (!size || !version.ok()) {
    return Status(StatusCode::kUnavailable,
                  connection_->Describe(key) +
                      ": the answer has no length or no version");
  }
  return ObjectInfo{.key = std::move(key),
                    .size_bytes = *size,
                    .version = *std::move(version)};
}

void S3ObjectStore::Delete(std::string key, ObjectRequest request,
                           Done<Status> done) {
  Status valid = ValidateObjectKey(key);
  Run<Status>(std::move(valid), std::move(request), std::move(done),
              [key = std::move(key)](S3ObjectStore& self, RequestLimits limits,
                                     auto answer) mutable {
                HttpCall call{.method = HttpMethod::kDelete,
                              .key = std::move(key),
                              .changes = true,
                              .limits = std::move(limits)};
                self.connection_->Send(
                    std::move(call),
                    [answer = std::move(answer)](const HttpAnswer& got) {
                      const bool gone =
                          got.status.code() == StatusCode::kNotFound;
                      answer(gone ? Status::Ok() : got.status);
                    });
              });
}

void S3ObjectStore::List(std::string prefix, std::string after, size_t limit,
                         ObjectRequest request, Done<Result<ListPage>> done) {
  Status valid;
  if (limit < 1 || limit > 1000) {
    valid = Status(StatusCode::kInvalidArgument,
                   fmt::format("list limit {}: expected 1 to 1000", limit));
  }
  QueryParameters query{{"list-type", "2"},
                        {"encoding-type", "url"},
                        {"max-keys", std::to_string(limit)}};
  if (!prefix.empty()) query.emplace_back("prefix", std::move(prefix));
  if (!after.empty()) query.emplace_back("start-after", std::move(after));
  Run<Result<ListPage>>(
      std::move(valid), std::move(request), std::move(done),
      [query = std::move(query)](S3ObjectStore& self, RequestLimits limits,
                                 auto answer) mutable {
        self.ListNow(std::move(query), std::move(limits), std::move(answer));
      });
}

void S3ObjectStore::ListNow(QueryParameters query, RequestLimits limits,
                            Done<Result<ListPage>> done) {
  HttpCall call{.method = HttpMethod::kGet, .query = query, .limits = limits};
  connection_->Send(
      std::move(call), [self = shared_from_this(), query = std::move(query),
                        limits = std::move(limits), done = std::move(done)](
                           const HttpAnswer& answer) mutable {
        if (!answer.status.ok()) return done(answer.status);
        auto list = ParseS3List(answer.response.body,
                                self->google() ? S3VersionField::kGeneration
                                               : S3VersionField::kETag);
        if (!list.ok()) {
          return done(list.status().WithContext(self->connection_->Describe()));
        }
        self->SawBucket();
        // A page may have no key and yet go on, where many were deleted.
        const bool go_on = list->page.more && list->page.objects.empty() &&
                           !list->continuation.empty();
        if (!go_on) return done(std::move(list->page));
        std::erase_if(query, [](const auto& parameter) {
          return parameter.first == "start-after" ||
                 parameter.first == "continuation-token";
        });
        query.emplace_back("continuation-token", list->continuation);
        self->ListNow(std::move(query), std::move(limits), std::move(done));
      });
}

}  // namespace

Result<std::shared_ptr<ObjectStore>> MakeS3ObjectStore(
    S3Options options, std::shared_ptr<CredentialsProvider> credentials,
    std::shared_ptr<HttpClient> http) {
  STRATA_RETURN_IF_ERROR(CheckS3Options(options));
  if (options.endpoint.empty()) options.endpoint = DefaultS3Endpoint(options);
  auto endpoint = ParseEndpoint(options.endpoint);
  if (!endpoint) {
    return Status(StatusCode::kInvalidArgument,
                  "s3: endpoint: expected http[s]://host[:port]");
  }
  auto connection =
      std::make_shared<S3Connection>(std::move(options), *std::move(endpoint),
                                     std::move(credentials), std::move(http));
  return std::shared_ptr<ObjectStore>(
      std::make_shared<S3ObjectStore>(std::move(connection)));
}

}  // namespace strata
