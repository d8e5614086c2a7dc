#include "cold/cold_requirements.h"

#include <fmt/format.h>

#include <string>

namespace strata {

Status CheckColdRequirements(const ObjectStore& store,
                             const ColdRequirements& required) {
  const ObjectStoreCapabilities has = store.Capabilities();
  // A root is made by the one and replaced by the other; without them a writer
  // would overwrite what another one committed.
  std::string lacks;
  if (!has.put_if_absent) lacks = "put_if_absent";
  if (!has.put_if_version) {
    lacks += lacks.empty() ? "put_if_version" : " and put_if_version";
  }
  if (!lacks.empty()) {
    return {StatusCode::kUnsupported,
            fmt::format("object store {}: lacks {}, without which writers "
                        "cannot be fenced",
                        store.Describe(), lacks)};
  }
  if (has.max_object_bytes >= required.largest_image_bytes) {
    return Status::Ok();
  }
  return {
      StatusCode::kUnsupported,
      fmt::format("object store {}: max_object_bytes = {}: must be at "
                  "least {}, which segments may come to with "
                  "target_segment_bytes = {}",
                  store.Describe(), has.max_object_bytes,
                  required.largest_image_bytes, required.target_segment_bytes)};
}

}  // namespace strata
