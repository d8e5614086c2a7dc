// An object store in a directory: what cold::LocalFs means.
#pragma once

#include <memory>

#include "io/file_system.h"
#include "runtime/runtime.h"
#include "strata/object_store.h"

namespace strata {

// Objects are the files beneath the root of `files`, each under its key.
// Several processes may share the directory. `runtime` outlives the answer;
// work blocks its cold_executor.
//
// On top of the rules for keys: a part has at most 255 bytes, and keys beneath
// ".tmp" and ".lock" are refused with kInvalidArgument, as is a Put whose key
// names a directory or lies beneath another object.
std::shared_ptr<ObjectStore> MakeFileObjectStore(
    std::shared_ptr<FileSystem> files, Runtime& runtime);

}  // namespace strata
