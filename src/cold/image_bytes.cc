#include "cold/image_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace strata {

const ColdBuffer* ImageBytes::ChunkAt(uint64_t number) {
  if (number != current_number_) {
    current_ = nullptr;
    current_number_ = number;
    ++chunks_used_;
  }
  if (current_ == nullptr) {
    const ChunkKey key{image_, number};
    current_ = chunks_->Find(key);
    if (current_ == nullptr) missing_ = key;
  }
  return current_.get();
}

std::optional<ImageBytes::Piece> ImageBytes::Gather(uint64_t begin,
                                                    uint64_t end) {
  STRATA_CHECK(begin < end && end <= image_.length &&
               end - begin <= kMaxGatherBytes);
  const uint64_t size = chunks_->chunk_bytes();
  if (begin / size == (end - 1) / size) {
    begin_ = begin;
    end_ = end;
    const ColdBuffer* chunk = ChunkAt(begin / size);
    if (chunk == nullptr) return std::nullopt;
    return Piece{chunk->bytes().subspan(begin % size, end - begin), current_};
  }
  // Chunks that were copied need not be there any more when the last one is.
  if (assembled_ == nullptr || begin_ != begin || end_ != end) {
    assembled_ = std::make_shared<ColdBuffer>(end - begin);
    begin_ = begin;
    end_ = end;
    filled_ = 0;
  }
  while (filled_ < end - begin) {
    const uint64_t position = begin + filled_;
    const ColdBuffer* chunk = ChunkAt(position / size);
    if (chunk == nullptr) return std::nullopt;
    const ByteSpan bytes = chunk->bytes().subspan(position % size);
    const size_t n = std::min<uint64_t>(bytes.size(), end - position);
    std::memcpy(assembled_->bytes().data() + filled_, bytes.data(), n);
    filled_ += n;
  }
  const ByteSpan bytes = assembled_->bytes();
  return Piece{bytes, std::move(assembled_)};
}

std::optional<ChunkKey> ImageBytes::NextChunk(uint64_t end) const {
  const uint64_t next = current_number_ + 1;
  if (next * chunks_->chunk_bytes() >= end) return std::nullopt;
  return ChunkKey{image_, next};
}

void ImageBytes::ForgetGathered() {
  if (begin_ == end_) return;
  const uint64_t size = chunks_->chunk_bytes();
  for (uint64_t n = begin_ / size; n <= (end_ - 1) / size; ++n) {
    chunks_->Forget({image_, n});
  }
  current_ = nullptr;
}

}  // namespace strata
