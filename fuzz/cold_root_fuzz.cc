// Fuzzes the readers of cold roots and groups. Partition, length and checksum
// are set right first: else almost no input would come past them. What is read
// must come back the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "format/cold_group_format.h"
#include "format/cold_root_format.h"

namespace strata {
namespace {

// The partition that the object says to be of.
PartitionId PartitionOf(const std::string& sealed) {
  PartitionId id;
  ByteReader in(AsBytes(sealed).subspan(kColdObjectHeaderBytes));
  if (const auto topic = in.Bytes(id.topic.bytes.size())) {
    std::memcpy(id.topic.bytes.data(), topic->data(), topic->size());
  }
  id.partition = static_cast<uint32_t>(in.Varint().value_or(0));
  return id;
}

template <typename T>
void Check(const ColdObjectKind& kind, const std::string& raw,
           Result<T> (*decode)(const PartitionId&, ByteSpan),
           std::string (*encode)(const PartitionId&, const T&)) {
  (void)decode({}, AsBytes(raw));
  const std::string sealed = SealColdObject(kind, raw);
  const PartitionId partition = PartitionOf(sealed);
  const Result<T> value = decode(partition, AsBytes(sealed));
  if (!value.ok()) return;
  const std::string again = encode(partition, *value);
  const Result<T> reread = decode(partition, AsBytes(again));
  STRATA_CHECK(reread.ok());
  STRATA_CHECK(*reread == *value);
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;
  const std::string raw(reinterpret_cast<const char*>(data), size);
  Check<ColdRoot>(kColdRootKind, raw, DecodeColdRoot, EncodeColdRoot);
  Check<ColdGroup>(kColdGroupKind, raw, DecodeColdGroup, EncodeColdGroup);
  return 0;
}
