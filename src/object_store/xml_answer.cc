#include "object_store/xml_answer.h"

#include <fmt/format.h>

namespace strata {

Status MalformedAnswer(std::string_view what, std::string_view fault) {
  return {StatusCode::kUnavailable,
          fmt::format("the answer is no {}: {}", what, fault)};
}

Result<pugi::xml_node> XmlRoot(pugi::xml_document& document,
                               std::string_view xml, const char* name) {
  const pugi::xml_parse_result parsed =
      document.load_buffer(xml.data(), xml.size());
  if (!parsed) return MalformedAnswer(name, parsed.description());
  const pugi::xml_node root = document.child(name);
  if (!root) return MalformedAnswer(name, document.first_child().name());
  return root;
}

}  // namespace strata
