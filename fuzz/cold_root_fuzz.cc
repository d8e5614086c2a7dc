// Fuzzes the reader of cold roots. Partition, length and checksum are set right
// first: else almost no input would come past them. What is read must come back
// the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/cold_root_format.h"

namespace strata {
namespace {

constexpr size_t kHeaderBytes = 24;

// `body` behind a header that fits.
std::string Sealed(std::string_view body) {
  ByteWriter out;
  out.Bytes(AsBytes("STRACOLD"));
  out.Fixed<uint32_t>(kColdRootVersion);
  out.Fixed<uint32_t>(0);
  out.Fixed<uint64_t>(body.size());
  out.Bytes(AsBytes(body));
  std::string root = out.Take();
  const ByteSpan all = AsBytes(root);
  const uint32_t crc = ExtendCrc32c(Crc32c(all.first(12)), all.subspan(16));
  StoreLittle(reinterpret_cast<std::byte*>(root.data()) + 12, crc);
  return root;
}

// The partition that the root says to be of.
PartitionId PartitionOf(const std::string& root) {
  PartitionId id;
  ByteReader in(AsBytes(root).subspan(kHeaderBytes));
  if (const auto topic = in.Bytes(id.topic.bytes.size())) {
    std::memcpy(id.topic.bytes.data(), topic->data(), topic->size());
  }
  id.partition = static_cast<uint32_t>(in.Varint().value_or(0));
  return id;
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;
  const std::string raw(reinterpret_cast<const char*>(data), size);
  (void)DecodeColdRoot({}, AsBytes(raw));
  const std::string sealed = Sealed(raw);
  const PartitionId partition = PartitionOf(sealed);
  const Result<ColdRoot> root = DecodeColdRoot(partition, AsBytes(sealed));
  if (!root.ok()) return 0;
  const std::string again = EncodeColdRoot(partition, *root);
  const Result<ColdRoot> reread = DecodeColdRoot(partition, AsBytes(again));
  STRATA_CHECK(reread.ok());
  STRATA_CHECK(*reread == *root);
  return 0;
}
