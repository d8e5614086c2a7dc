#include "object_store/azure/azure_object_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/crc32c.h"
#include "object_store/azure/azure_connection.h"
#include "object_store/azure/azure_list.h"
#include "object_store/azure/azure_upload.h"
#include "object_store/http_range.h"
#include "object_store/read_through.h"

namespace strata {
namespace {

constexpr uint64_t kMaxObjectBytes = kMaxAzureBlocks * kMaxAzureBlockBytes;
constexpr char kChecksumHeader[] = "x-ms-meta-crc32c";

// Thread-safe.
class AzureObjectStore final
    : public ObjectStore,
      public std::enable_shared_from_this<AzureObjectStore> {
 public:
  explicit AzureObjectStore(std::shared_ptr<AzureConnection> connection)
      : connection_(std::move(connection)) {}

  std::string Describe() const override { return connection_->Describe(); }
  ObjectStoreCapabilities Capabilities() const override {
    return {.put_if_absent = true,
            .put_if_version = true,
            .max_object_bytes = kMaxObjectBytes,
            .multipart_above_bytes = connection_->options().blocks_above_bytes};
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
  struct PutJob {
    std::string key;
    std::shared_ptr<ObjectSource> source;
    PutPrecondition precondition;
    RequestLimits limits;
  };

  // Runs `work(store, limits, done)` on a worker unless the request is given
  // up or `valid` is not Ok, which is answered there.
  template <typename T, typename Work>
  void Run(Status valid, ObjectRequest request, Done<T> done, Work work) {
    StartRequest<T>(connection_->http(), std::move(valid), std::move(request),
                    std::move(done),
                    [self = shared_from_this(), work = std::move(work)](
                        RequestLimits limits, Done<T> answer) mutable {
                      work(*self, std::move(limits), std::move(answer));
                    });
  }

  void PutWhole(PutJob job, Done<Result<ObjectVersion>> done);
  void PutInBlocks(PutJob job, Done<Result<ObjectVersion>> done);
  void GetRange(HttpCall call, uint64_t position, Done<Result<size_t>> done);
  void HeadNow(std::string key, RequestLimits limits,
               Done<Result<ObjectInfo>> done);
  Result<ObjectInfo> InfoOf(std::string key,
                            const HttpResponse& response) const;

  const std::shared_ptr<AzureConnection> connection_;
  const std::shared_ptr<AzureMarkers> markers_ =
      std::make_shared<AzureMarkers>();
};

// Of the blob, whose CRC32C is `crc`.
HttpHeaders BlobHeaders(const PutPrecondition& precondition, uint32_t crc) {
  HttpHeaders headers{{kChecksumHeader, fmt::format("{:08x}", crc)}};
  switch (precondition.kind) {
    case PutPrecondition::Kind::kNone: break;
    case PutPrecondition::Kind::kAbsent:
      headers.push_back({"If-None-Match", "*"});
      break;
    case PutPrecondition::Kind::kVersion:
      headers.push_back({"If-Match", '"' + precondition.version + '"'});
      break;
  }
  return headers;
}

bool IsConditional(const PutPrecondition& precondition) {
  return precondition.kind != PutPrecondition::Kind::kNone;
}

void AzureObjectStore::Put(std::string key,
                           std::shared_ptr<ObjectSource> source,
                           PutPrecondition precondition, ObjectRequest request,
                           Done<Result<ObjectVersion>> done) {
  Status valid = ValidateObjectKey(key);
  const uint64_t size = source->size();
  if (valid.ok() && size > kMaxObjectBytes) {
    valid = {StatusCode::kInvalidArgument,
             fmt::format("{}: {} bytes are too many for one object",
                         connection_->Describe(key), size)};
  }
  const bool in_blocks = size > connection_->options().blocks_above_bytes;
  Run<Result<ObjectVersion>>(
      std::move(valid), std::move(request), std::move(done),
      [in_blocks, job = PutJob{.key = std::move(key),
                               .source = std::move(source),
                               .precondition = std::move(precondition),
                               .limits = {}}](
          AzureObjectStore& self, RequestLimits limits, auto answer) mutable {
        job.limits = std::move(limits);
        in_blocks ? self.PutInBlocks(std::move(job), std::move(answer))
                  : self.PutWhole(std::move(job), std::move(answer));
      });
}

void AzureObjectStore::PutWhole(PutJob job, Done<Result<ObjectVersion>> done) {
  uint32_t crc = Crc32c({});
  auto md5 =
      ContentMd5(*job.source, 0, job.source->size(),
                 [&](ByteSpan bytes) { crc = ExtendCrc32c(crc, bytes); });
  if (!md5.ok()) return done(std::move(md5).status());
  HttpHeaders headers = BlobHeaders(job.precondition, crc);
  headers.push_back({"x-ms-blob-type", "BlockBlob"});
  headers.push_back({"Content-MD5", *std::move(md5)});
  const uint64_t length = job.source->size();
  connection_->Send({.method = HttpMethod::kPut,
                     .key = job.key,
                     .headers = std::move(headers),
                     .changes = true,
                     .conditional = IsConditional(job.precondition),
                     .body = std::move(job.source),
                     .body_length = length,
                     .limits = std::move(job.limits)},
                    [connection = connection_, key = job.key,
                     done = std::move(done)](const HttpAnswer& answer) {
                      if (!answer.status.ok()) return done(answer.status);
                      done(AzureVersionOf(*connection, key, answer.response));
                    });
}

void AzureObjectStore::PutInBlocks(PutJob job,
                                   Done<Result<ObjectVersion>> done) {
  uint32_t crc = Crc32c({});
  Status read =
      ReadThrough(*job.source, 0, job.source->size(),
                  [&](ByteSpan bytes) { crc = ExtendCrc32c(crc, bytes); });
  if (!read.ok()) return done(std::move(read));
  std::make_shared<AzureUpload>(
      connection_,
      AzureUpload::Target{.key = std::move(job.key),
                          .headers = BlobHeaders(job.precondition, crc),
                          .conditional = IsConditional(job.precondition),
                          .limits = std::move(job.limits)},
      std::move(job.source), std::move(done))
      ->Start();
}

void AzureObjectStore::Get(std::string key, uint64_t position,
                           std::span<std::byte> out, ObjectRequest request,
                           Done<Result<size_t>> done) {
  Status valid = ValidateObjectKey(key);
  HttpCall call{.method = HttpMethod::kGet,
                .key = std::move(key),
                .out = out,
                .memory = std::move(request.memory)};
  Run<Result<size_t>>(
      std::move(valid), std::move(request), std::move(done),
      [call = std::move(call), position](
          AzureObjectStore& self, RequestLimits limits, auto answer) mutable {
        call.limits = std::move(limits);
        self.GetRange(std::move(call), position, std::move(answer));
      });
}

void AzureObjectStore::GetRange(HttpCall call, uint64_t position,
                                Done<Result<size_t>> done) {
  if (call.out.empty()) {  // there is no range of nothing
    return HeadNow(std::move(call.key), std::move(call.limits),
                   [done = std::move(done)](const Result<ObjectInfo>& info) {
                     if (!info.ok()) return done(info.status());
                     done(size_t{0});
                   });
  }
  call.headers = {{"Range", fmt::format("bytes={}-{}", position,
                                        position + call.out.size() - 1)}};
  RangeAnswer range{.what = connection_->Describe(call.key),
                    .checksum_header = kChecksumHeader,
                    .position = position,
                    .out = call.out};
  connection_->Send(std::move(call),
                    [range = std::move(range),
                     done = std::move(done)](const HttpAnswer& got) {
                      if (!got.status.ok()) return done(got.status);
                      done(CheckRange(range, got.response));
                    });
}

void AzureObjectStore::Head(std::string key, ObjectRequest request,
                            Done<Result<ObjectInfo>> done) {
  Status valid = ValidateObjectKey(key);
  Run<Result<ObjectInfo>>(
      std::move(valid), std::move(request), std::move(done),
      [key = std::move(key)](AzureObjectStore& self, RequestLimits limits,
                             auto answer) mutable {
        self.HeadNow(std::move(key), std::move(limits), std::move(answer));
      });
}

void AzureObjectStore::HeadNow(std::string key, RequestLimits limits,
                               Done<Result<ObjectInfo>> done) {
  HttpCall call{
      .method = HttpMethod::kHead, .key = key, .limits = std::move(limits)};
  connection_->Send(std::move(call),
                    [self = shared_from_this(), key = std::move(key),
                     done = std::move(done)](const HttpAnswer& answer) mutable {
                      if (!answer.status.ok()) return done(answer.status);
                      done(self->InfoOf(std::move(key), answer.response));
                    });
}

Result<ObjectInfo> AzureObjectStore::InfoOf(
    std::string key, const HttpResponse& response) const {
  const std::string* length = response.Find("content-length");
  const auto size = ParseDecimal(length ? *length : "");
  auto version = AzureVersionOf(*connection_, key, response);
  if (!size || !version.ok()) {
    return Status(StatusCode::kUnavailable,
                  connection_->Describe(key) +
                      ": the answer has no length or no version");
  }
  return ObjectInfo{.key = std::move(key),
                    .size_bytes = *size,
                    .version = *std::move(version)};
}

void AzureObjectStore::Delete(std::string key, ObjectRequest request,
                              Done<Status> done) {
  Status valid = ValidateObjectKey(key);
  Run<Status>(
      std::move(valid), std::move(request), std::move(done),
      [key = std::move(key)](AzureObjectStore& self, RequestLimits limits,
                             auto answer) mutable {
        // Without that header a blob with snapshots, which somebody may have
        // made, could not be deleted.
        self.connection_->Send(
            {.method = HttpMethod::kDelete,
             .key = std::move(key),
             .headers = {{"x-ms-delete-snapshots", "include"}},
             .changes = true,
             .limits = std::move(limits)},
            [answer = std::move(answer)](const HttpAnswer& got) {
              const bool gone = got.status.code() == StatusCode::kNotFound;
              answer(gone ? Status::Ok() : got.status);
            });
      });
}

void AzureObjectStore::List(std::string prefix, std::string after, size_t limit,
                            ObjectRequest request,
                            Done<Result<ListPage>> done) {
  Status valid;
  if (limit < 1 || limit > 1000) {
    valid = Status(StatusCode::kInvalidArgument,
                   fmt::format("list limit {}: expected 1 to 1000", limit));
  }
  Run<Result<ListPage>>(
      std::move(valid), std::move(request), std::move(done),
      [query = AzureList::Query{.prefix = std::move(prefix),
                                .after = std::move(after),
                                .limit = limit,
                                .limits = {}}](
          AzureObjectStore& self, RequestLimits limits, auto answer) mutable {
        query.limits = std::move(limits);
        std::make_shared<AzureList>(self.connection_, self.markers_,
                                    std::move(query), std::move(answer))
            ->Start();
      });
}

}  // namespace

Result<std::shared_ptr<ObjectStore>> MakeAzureObjectStore(
    AzureOptions options, std::shared_ptr<HttpClient> http,
    std::shared_ptr<Random> random) {
  if (options.account.endpoint.empty()) {
    options.account.endpoint = DefaultAzureEndpoint(options.account.name);
  }
  STRATA_RETURN_IF_ERROR(CheckAzureOptions(options));
  Endpoint endpoint = *ParseEndpoint(options.account.endpoint);
  auto connection =
      std::make_shared<AzureConnection>(std::move(options), std::move(endpoint),
                                        std::move(http), std::move(random));
  return std::shared_ptr<ObjectStore>(
      std::make_shared<AzureObjectStore>(std::move(connection)));
}

}  // namespace strata
