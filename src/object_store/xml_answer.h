// The XML that clouds answer: its root, and what to say when it is none. Pure.
#pragma once

#include <pugixml.hpp>
#include <string_view>

#include "strata/status.h"

namespace strata {

// kUnavailable: what was asked for may come at the next try.
Status MalformedAnswer(std::string_view what, std::string_view fault);

// The root element `name` of `xml`, which is loaded into `document`.
Result<pugi::xml_node> XmlRoot(pugi::xml_document& document,
                               std::string_view xml, const char* name);

}  // namespace strata
