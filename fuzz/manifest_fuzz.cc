// Fuzzes the decoder of manifest edits, and the reader of manifest files with
// the input as a record under good checksums: else almost no input would come
// past them. What is read must come back the same when it is written again,
// and a state that takes it must keep its invariants.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "format/manifest_file.h"
#include "manifest/manifest_state.h"

namespace strata {
namespace {

void CheckEdit(ByteSpan bytes) {
  const Result<ManifestEdit> edit = DecodeManifestEdit(bytes);
  if (!edit.ok()) return;
  const Result<ManifestEdit> again =
      DecodeManifestEdit(AsBytes(EncodeManifestEdit(*edit)));
  STRATA_CHECK(again.ok() && *again == *edit);

  ManifestState state;
  if (!state.Apply(*edit).ok()) {
    STRATA_CHECK(state == ManifestState());
    return;
  }
  ManifestState rebuilt;
  for (const ManifestEdit& part : state.ToSnapshot()) {
    STRATA_CHECK(rebuilt.Apply(part).ok());
  }
  STRATA_CHECK(rebuilt == state);
}

void CheckFile(ByteSpan body) {
  std::string file = EncodeManifestHeader({.store_id = {}, .number = 1});
  AppendManifestRecord({.number = 1, .position = file.size()},
                       AsBytes(EncodeManifestEdit({{SnapshotEnd{}}})), file);
  const uint64_t end = file.size();
  AppendManifestRecord({.number = 1, .position = end, .synced_through = end},
                       body, file);
  const auto ignore = [](const ManifestEdit&) { return Status::Ok(); };
  const Result<ManifestTail> tail = ReadManifest(AsBytes(file), ignore);
  STRATA_CHECK(tail.ok() == DecodeManifestEdit(body).ok());
  (void)ReadManifest(body, ignore);
}

}  // namespace
}  // namespace strata

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const strata::ByteSpan bytes(reinterpret_cast<const std::byte*>(data), size);
  strata::CheckEdit(bytes);
  strata::CheckFile(bytes);
  return 0;
}
