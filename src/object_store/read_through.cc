#include "object_store/read_through.h"

#include <algorithm>
#include <vector>

namespace strata {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

}  // namespace

Status ReadThrough(ObjectSource& source, uint64_t position, uint64_t length,
                   const std::function<void(ByteSpan)>& sink) {
  if (const auto whole = source.Contiguous()) {
    sink(whole->subspan(position, length));
    return Status::Ok();
  }
  std::vector<std::byte> piece(std::min(length, kPieceBytes));
  while (length > 0) {
    const auto part =
        std::span(piece).first(std::min<uint64_t>(length, piece.size()));
    STRATA_RETURN_IF_ERROR(source.ReadAt(position, part));
    sink(part);
    position += part.size();
    length -= part.size();
  }
  return Status::Ok();
}

}  // namespace strata
