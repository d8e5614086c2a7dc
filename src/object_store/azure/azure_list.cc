#include "object_store/azure/azure_list.h"

#include <algorithm>

#include "object_store/azure/azure_xml.h"

namespace strata {
namespace {

constexpr size_t kMaxMarkers = 256;
constexpr size_t kMaxPageKeys = 5000;  // the service's limit
// Of the longest keys, with what is told of each.
constexpr size_t kMaxPageBytes = size_t{32} << 20;

}  // namespace

void AzureMarkers::Remember(const std::string& prefix, const std::string& first,
                            std::string marker) {
  MutexLock lock(mu_);
  Place place{prefix, first};
  const auto [at, added] = markers_.insert_or_assign(place, std::move(marker));
  if (!added) return;
  oldest_.push_back(std::move(place));
  if (oldest_.size() <= kMaxMarkers) return;
  markers_.erase(oldest_.front());
  oldest_.pop_front();
}

std::string AzureMarkers::Before(const std::string& prefix,
                                 const std::string& after) const {
  if (after.empty()) return {};
  MutexLock lock(mu_);
  auto at = markers_.upper_bound({prefix, after});
  if (at == markers_.begin()) return {};
  --at;
  return at->first.first == prefix ? at->second : std::string();
}

AzureList::AzureList(std::shared_ptr<AzureConnection> connection,
                     std::shared_ptr<AzureMarkers> markers, Query query,
                     Done done)
    : connection_(std::move(connection)),
      markers_(std::move(markers)),
      query_(std::move(query)),
      done_(std::move(done)),
      marker_(markers_->Before(query_.prefix, query_.after)),
      page_keys_(query_.limit) {}

void AzureList::Start() { Ask(); }

void AzureList::Ask() {
  // Two requests are what a next page takes. More skip keys that nothing is
  // remembered of: in growing steps.
  if (++requests_ > 2) page_keys_ = std::min(2 * page_keys_, kMaxPageKeys);
  QueryParameters query{{"restype", "container"},
                        {"comp", "list"},
                        {"maxresults", std::to_string(page_keys_)}};
  if (!query_.prefix.empty()) query.emplace_back("prefix", query_.prefix);
  if (!marker_.empty()) query.emplace_back("marker", marker_);
  connection_->Send(
      {.method = HttpMethod::kGet,
       .query = std::move(query),
       .limits = query_.limits},
      [self = shared_from_this()](const HttpAnswer& answer) {
        self->Answered(answer);
      },
      kMaxPageBytes);
}

void AzureList::Answered(const HttpAnswer& answer) {
  if (!answer.status.ok()) return done_(answer.status);
  auto page = ParseAzureList(answer.response.body);
  if (!page.ok()) {
    return done_(page.status().WithContext(connection_->Describe()));
  }
  auto& objects = page->objects;
  if (!objects.empty()) {
    if (objects.front().key <= last_key_) {
      return done_(Status(
          StatusCode::kUnavailable,
          connection_->Describe() + ": the pages of a list are not in order"));
    }
    last_key_ = objects.back().key;
    if (!marker_.empty()) {
      markers_->Remember(query_.prefix, objects.front().key, marker_);
    }
  }
  std::erase_if(objects, [&](const ObjectInfo& object) {
    return object.key <= query_.after;
  });
  // A page may have no key that is wanted, or none at all, and yet go on.
  if (objects.empty() && !page->next_marker.empty()) {
    marker_ = std::move(page->next_marker);
    return Ask();
  }
  ListPage found;
  found.more = !page->next_marker.empty();
  if (objects.size() > query_.limit) {
    objects.resize(query_.limit);
    found.more = true;
  }
  found.objects = std::move(objects);
  done_(std::move(found));
}

}  // namespace strata
