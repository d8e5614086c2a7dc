// Where credentials come from, in the order in which AWS's own tools look.
#pragma once

#include <memory>
#include <optional>

#include "net/http.h"
#include "object_store/environment.h"
#include "object_store/s3/credentials.h"

namespace strata {

// The first of
//  1. `configured`;
//  2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN;
//  3. the shared credentials file (AWS_SHARED_CREDENTIALS_FILE, else
//     ~/.aws/credentials), profile AWS_PROFILE (default), read again when a
//     server refuses what it held;
//  4. the container's endpoint: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or
//     _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE);
//  5. the instance's metadata, version 2, unless AWS_EC2_METADATA_DISABLED is
//     true; AWS_EC2_METADATA_SERVICE_ENDPOINT names another address.
// A profile that is named and not there is an error of every Get.
//
// Files and environment are looked at here and now.
std::shared_ptr<CredentialsProvider> MakeCredentialsChain(
    std::optional<Credentials> configured, const Environment& environment,
    std::shared_ptr<HttpClient> http);

}  // namespace strata
