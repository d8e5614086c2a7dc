// URLs: their parts and their encoding. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strata {

// RFC 3986: everything but letters, digits, '-', '.', '_' and '~' becomes
// %XX; in a path '/' stays, too.
std::string PercentEncode(std::string_view text);
std::string PercentEncodePath(std::string_view path);
// Nothing when a '%' is not followed by two hex digits. `plus_is_space`: as
// forms and S3's listings have it.
enum class PlusSign { kPlus, kSpace };
std::optional<std::string> PercentDecode(std::string_view text, PlusSign plus);

// Names and values as they are meant, not encoded.
using QueryParameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=" with all names and values encoded, ordered by name, then value:
// what is sent and, for signatures, what is signed.
std::string EncodeQuery(const QueryParameters& parameters);

// scheme://authority/path of an endpoint. `authority` has the port as it was
// written.
struct Endpoint {
  bool tls = false;
  std::string authority;
  std::string path;  // empty, or begins with '/' and does not end with one

  std::string Origin() const {
    return (tls ? "https://" : "http://") + authority;
  }
};
// Nothing unless it is http or https with a host and without user, query and
// fragment.
std::optional<Endpoint> ParseEndpoint(std::string_view url);

}  // namespace strata
