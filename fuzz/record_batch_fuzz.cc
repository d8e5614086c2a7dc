// Fuzzes the reader of record batches. Length, magic and CRC are set right
// first: else almost no input would come past them. What is read must come
// back the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "format/record_batch.h"

namespace strata {
namespace {

std::string Sealed(std::string batch) {
  if (batch.size() < kRecordBatchHeaderBytes) return batch;
  auto* p = reinterpret_cast<std::byte*>(batch.data());
  StoreBig(p + 8, static_cast<int32_t>(batch.size() - 12));
  p[16] = std::byte{2};
  StoreBig(p + 17, Crc32c(AsBytes(batch).subspan(21)));
  return batch;
}

bool SameBytes(std::optional<ByteSpan> a, std::optional<ByteSpan> b) {
  return a.has_value() == b.has_value() && (!a || AsText(*a) == AsText(*b));
}

bool Same(const Record& a, const Record& b) {
  if (a.offset != b.offset || a.timestamp != b.timestamp ||
      !SameBytes(a.key, b.key) || !SameBytes(a.value, b.value) ||
      a.headers.size() != b.headers.size()) {
    return false;
  }
  for (size_t i = 0; i < a.headers.size(); ++i) {
    if (a.headers[i].key != b.headers[i].key ||
        !SameBytes(a.headers[i].value, b.headers[i].value)) {
      return false;
    }
  }
  return true;
}

// The batch written again; empty when it cannot be read to its end.
std::string Rewritten(ByteSpan batch) {
  Result<RecordReader> reader = RecordReader::Open(batch);
  if (!reader.ok() || reader->summary().record_count == 0) return {};
  RecordBatchBuilder builder({.base_offset = reader->summary().offsets.base});
  Record record;
  for (;;) {
    const Result<bool> more = reader->Next(record);
    if (!more.ok()) return {};
    if (!*more) break;
    builder.Add(record);
  }
  return builder.Build().value();
}

void CheckSameRecords(ByteSpan before, ByteSpan after) {
  RecordReader a = RecordReader::Open(before).value();
  RecordReader b = RecordReader::Open(after).value();
  Record x, y;
  while (a.Next(x).value()) {
    STRATA_CHECK(b.Next(y).value());
    STRATA_CHECK(Same(x, y));
  }
  STRATA_CHECK(!b.Next(y).value());
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace strata;
  const std::string raw(reinterpret_cast<const char*>(data), size);
  (void)Rewritten(AsBytes(raw));
  const std::string batch = Sealed(raw);
  const std::string again = Rewritten(AsBytes(batch));
  if (!again.empty()) CheckSameRecords(AsBytes(batch), AsBytes(again));
  return 0;
}
