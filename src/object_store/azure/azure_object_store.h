// AzureObjectStore: a container of Azure Blob Storage, or of what speaks like
// it.
#pragma once

#include <memory>

#include "net/http.h"
#include "object_store/azure/azure_options.h"
#include "runtime/random.h"
#include "strata/object_store.h"

namespace strata {

// Thread-safe. It needs no Runtime: its work runs on the client's threads and
// ends when it ends, also after the store has gone. Wrap it in HostObjectStore
// where answers must stop with somebody.
//
//  * Each request is sent once: wrap it in RetryingObjectStore. Only the blocks
//    of an upload are repeated here, a few times.
//  * Objects are block blobs. What is sent carries its MD5, which the service
//    checks before it takes it. They have their CRC32C as metadata "crc32c"; it
//    is checked when one Get reads a whole object (kUnavailable: it arrived
//    damaged).
//  * Conditional puts may be as large as others: the condition is that of the
//    list of blocks.
//  * A Put reads its source twice, or three times in blocks: for its checksums,
//    then to send it.
//  * Versions are ETags.
//
// kInvalidArgument for options that cannot be.
Result<std::shared_ptr<ObjectStore>> MakeAzureObjectStore(
    AzureOptions options, std::shared_ptr<HttpClient> http,
    std::shared_ptr<Random> random);

}  // namespace strata
