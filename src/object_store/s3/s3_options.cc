#include "object_store/s3/s3_options.h"

#include <fmt/format.h>

#include <utility>

namespace strata {
namespace {

constexpr uint64_t kMinPartBytes = uint64_t{5} << 20;

}  // namespace

std::string DefaultS3Endpoint(const S3Options& options) {
  if (options.dialect == S3Dialect::kGoogle) {
    return "https://storage.googleapis.com";
  }
  const bool china = options.region.starts_with("cn-");
  return fmt::format("https://s3.{}.amazonaws.com{}", options.region,
                     china ? ".cn" : "");
}

Status CheckS3Options(const S3Options& options) {
  const auto wrong = [](std::string text) {
    return Status(StatusCode::kInvalidArgument, "s3: " + std::move(text));
  };
  const bool odd = options.bucket.find_first_not_of(
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789.-_") != options.bucket.npos;
  if (options.bucket.empty() || odd) {
    return wrong(fmt::format("bucket '{}': not a name of one", options.bucket));
  }
  if (options.region.empty()) return wrong("region: empty");
  if (options.part_bytes < kMinPartBytes || options.parts_at_once < 1) {
    return wrong(
        fmt::format("part_bytes = {}: must be at least {}; "
                    "parts_at_once = {}: at least 1",
                    options.part_bytes, kMinPartBytes, options.parts_at_once));
  }
  if (options.multipart_above_bytes > kMaxS3SinglePutBytes) {
    return wrong(fmt::format("multipart_above_bytes = {}: must be at most {}",
                             options.multipart_above_bytes,
                             kMaxS3SinglePutBytes));
  }
  return Status::Ok();
}

}  // namespace strata
