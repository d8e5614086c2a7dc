// Listing blobs after a key. The service knows markers only: opaque, each the
// place where its next page begins (no version that emulators know has a way
// to begin at a key). They are remembered, so that a caller who asks for page
// after page costs two requests each and not all the pages before.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "object_store/azure/azure_connection.h"
#include "strata/object_store.h"

namespace strata {

// Markers by the first key of the page that they led to. Thread-safe.
//
// A marker stands for a place before that key and behind the page before it. A
// listing from there so has all later keys, also those that were put since the
// marker was given; from the marker of the page that comes next it would not.
class AzureMarkers {
 public:
  void Remember(const std::string& prefix, const std::string& first,
                std::string marker);
  // From where a listing of `prefix` comes by all keys after `after`; empty:
  // the beginning.
  std::string Before(const std::string& prefix, const std::string& after) const;

 private:
  using Place = std::pair<std::string, std::string>;  // prefix, first key

  mutable Mutex mu_;
  std::map<Place, std::string> markers_ STRATA_GUARDED_BY(mu_);
  std::deque<Place> oldest_ STRATA_GUARDED_BY(mu_);
};

// One List. Its steps follow each other; kept alive by its requests.
class AzureList : public std::enable_shared_from_this<AzureList> {
 public:
  using Done = ObjectStore::Done<Result<ListPage>>;

  struct Query {
    std::string prefix;
    std::string after;
    size_t limit = 0;
    RequestLimits limits;
  };

  AzureList(std::shared_ptr<AzureConnection> connection,
            std::shared_ptr<AzureMarkers> markers, Query query, Done done);

  void Start();

 private:
  void Ask();
  void Answered(const HttpAnswer& answer);

  const std::shared_ptr<AzureConnection> connection_;
  const std::shared_ptr<AzureMarkers> markers_;
  const Query query_;
  const Done done_;
  std::string marker_;    // where the next request begins
  size_t page_keys_ = 0;  // that it asks for
  int requests_ = 0;
  std::string last_key_;  // of all pages so far
};

}  // namespace strata
