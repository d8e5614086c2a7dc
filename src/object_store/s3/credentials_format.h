// Credentials as files and metadata services write them. Pure.
#pragma once

#include <string_view>

#include "object_store/s3/credentials.h"
#include "strata/status.h"

namespace strata {

// Those of a profile in the text of a shared credentials file: sections
// "[name]", lines "aws_access_key_id = ...". kNotFound when it has none.
Result<Credentials> ParseCredentialsFile(std::string_view text,
                                         std::string_view profile);

// The JSON that instances and containers are answered: AccessKeyId,
// SecretAccessKey, Token, Expiration. kUnavailable when it is none.
Result<Credentials> ParseMetadataCredentials(std::string_view json);

}  // namespace strata
