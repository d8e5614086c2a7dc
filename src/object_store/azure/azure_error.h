// What an answer of Azure Blob Storage means: HTTP status and error code to
// Status. Pure.
#pragma once

#include "net/http.h"
#include "object_store/http_meaning.h"
#include "strata/status.h"

namespace strata {

// Ok for 2xx; for the codes see ObjectStore. Messages have the service's code,
// its words (cut), and the request's id.
Status AzureMeaningOf(const StoreQuestion& question,
                      const HttpOutcome& outcome);

}  // namespace strata
