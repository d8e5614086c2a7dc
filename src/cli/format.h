// Format: how `consume -f` prints a record, in kcat's words.
//
//   %t topic       %p partition   %o offset      %T timestamp in ms (-1: none)
//   %k key         %v value       %h headers: name=value,name=value
//   %K bytes of the key and %S of the value, -1 where there is none
//   %s the same as %v             %% a percent sign
//   \n \r \t \0 \\                \xHH the byte HH
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/record_batch.h"
#include "strata/status.h"

namespace strata::cli {

// Immutable.
class Format {
 public:
  // kInvalidArgument naming the position of what is no such token.
  static Result<Format> Parse(std::string_view text);

  // Appends the record to `out`. An absent key or value prints as nothing, an
  // absent header value as NULL.
  void Print(std::string_view topic, uint32_t partition, const Record& record,
             std::string& out) const;

 private:
  // A token's letter, or 0 for the text of its own.
  struct Part {
    char field = 0;
    std::string text{};
  };

  void AddText(char c);

  std::vector<Part> parts_;
};

}  // namespace strata::cli
