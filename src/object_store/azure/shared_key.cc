#include "object_store/azure/shared_key.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <ctime>
#include <map>

#include "net/digest.h"

namespace strata {
namespace {

// Headers that are signed by their place, in this order. The date is always in
// x-ms-date.
constexpr std::array kPlacedHeaders = {"content-encoding",
                                       "content-language",
                                       "content-length",
                                       "content-md5",
                                       "content-type",
                                       "date",
                                       "if-modified-since",
                                       "if-match",
                                       "if-none-match",
                                       "if-unmodified-since",
                                       "range"};

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace

std::string SharedKeyStringToSign(const SharedKeyRequest& request,
                                  std::string_view account) {
  std::string text = std::string(request.method) + "\n";
  for (std::string_view name : kPlacedHeaders) {
    if (name == "content-length") {
      if (request.body_length > 0) text += std::to_string(request.body_length);
    } else if (const std::string* value = FindHeader(request.headers, name)) {
      text += *value;
    }
    text += "\n";
  }
  std::map<std::string, std::string> named;
  for (const HttpHeader& header : request.headers) {
    std::string name = Lower(header.name);
    if (name.starts_with("x-ms-")) named.emplace(std::move(name), header.value);
  }
  for (const auto& [name, value] : named) text += name + ":" + value + "\n";
  text.append("/").append(account).append(request.path);
  std::map<std::string, std::string> query;
  for (const auto& [name, value] : request.query) {
    query.emplace(Lower(name), value);
  }
  for (const auto& [name, value] : query) text += "\n" + name + ":" + value;
  return text;
}

std::string SharedKeyAuthorization(const SharedKeyRequest& request,
                                   std::string_view account,
                                   std::string_view key) {
  const std::string text = SharedKeyStringToSign(request, account);
  return fmt::format("SharedKey {}:{}", account,
                     ToBase64(HmacSha256(AsBytes(key), AsBytes(text))));
}

std::string HttpDate(TimestampMs time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed",
                                "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = time / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<size_t>(utc.tm_mon)],
                     utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace strata
