// S3ObjectStore: a bucket of AWS S3, of what speaks like it, or of Google
// Cloud Storage through its XML API.
#pragma once

#include <memory>

#include "net/http.h"
#include "object_store/s3/credentials.h"
#include "object_store/s3/s3_options.h"
#include "strata/object_store.h"

namespace strata {

// Thread-safe. It needs no Runtime: its work runs on the client's threads and
// ends when it ends, also after the store has gone. Wrap it in HostObjectStore
// where answers must stop with somebody.
//
//  * Each request is sent once: wrap it in RetryingObjectStore. Only the parts
//    of an upload are repeated here, a few times.
//  * Objects carry their CRC32C as metadata "crc32c"; it is checked when one
//    Get reads a whole object (kUnavailable: it arrived damaged).
//  * Conditional puts are single requests of at most 5 GiB.
//  * The conditions have to be honoured by the server; ask
//    ProbeConditionalPuts.
//  * A Put reads its source twice, or three times without TLS: for its
//    checksums, then to send it.
//
// kInvalidArgument for options that cannot be.
Result<std::shared_ptr<ObjectStore>> MakeS3ObjectStore(
    S3Options options, std::shared_ptr<CredentialsProvider> credentials,
    std::shared_ptr<HttpClient> http);

}  // namespace strata
