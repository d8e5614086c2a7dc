// dump: segment images.
#include <fmt/format.h>

#include <optional>

#include "base/bytes.h"
#include "cli/dump.h"
#include "cli/interrupt.h"
#include "format/magic.h"
#include "segment/frame_cursor.h"
#include "segment/segment_index.h"

namespace strata::cli {
namespace {

// How long the image at the start of `bytes` is: up to the first footer that
// says so. Nothing if there is none.
std::optional<uint64_t> ImageBytes(ByteSpan bytes) {
  const std::string_view text = AsText(bytes);
  for (size_t at = text.find(kSegmentFooterMagic); at != std::string_view::npos;
       at = text.find(kSegmentFooterMagic, at + 1)) {
    const uint64_t end =
        at - kSegmentFooterMagicAt + uint64_t{kSegmentFooterBytes};
    if (at < kSegmentFooterMagicAt || end > bytes.size()) continue;
    const auto footer = DecodeSegmentFooter(
        bytes.subspan(at - kSegmentFooterMagicAt, kSegmentFooterBytes), end);
    if (footer.ok() || footer.status().code() == StatusCode::kUnsupported) {
      return end;
    }
  }
  return std::nullopt;
}

std::string Describe(const SegmentProperties& p) {
  std::string text = fmt::format(
      "segment {} of topic {} {}, offsets [{}, {}), {} batches, {} records, "
      "timestamps {} to {}, sealed at {}, epochs",
      p.id, p.topic_name, p.partition.ToString(), p.offsets.base.value(),
      p.offsets.end.value(), p.batch_count, p.record_count, p.min_timestamp,
      p.max_timestamp, p.sealed_at);
  for (const SegmentEpoch& epoch : p.epochs) {
    text +=
        fmt::format(" {} from {}", epoch.epoch.value(), epoch.start.value());
  }
  for (const auto& [name, bytes] : p.sections) {
    text += fmt::format(", section {} of {} bytes", name, bytes.size());
  }
  return text;
}

// The frames of a block, which is at `block.begin` of the image.
Status DumpBlock(ByteSpan image, uint64_t image_at, const SegmentIndex& index,
                 const SegmentIndex::Block& block, DumpReport& report) {
  report.Line(0, fmt::format("block at {}: {} bytes", image_at + block.begin,
                             block.end - block.begin));
  const FrameRun run{.partition = index.properties().partition,
                     .offsets = block.offsets,
                     .position = block.begin};
  FrameCursor cursor(image.subspan(block.begin, block.end - block.begin), run);
  uint64_t at = image_at + block.begin;
  for (;;) {
    const Result<const DecodedFrame*> frame = cursor.Next();
    if (frame.status().code() == StatusCode::kUnsupported) {
      return frame.status();
    }
    if (!frame.ok()) {
      report.Damage(at,
                    frame.status());  // the next block is found by the index
      return Status::Ok();
    }
    if (*frame == nullptr) return Status::Ok();
    DumpFrame((*frame)->header, at, report);
    const Status payload = cursor.VerifyLast();
    if (!payload.ok()) report.Damage(at, payload);
    at += (*frame)->frame_bytes;
  }
}

// `image` lies at `at` of the file.
Status DumpImage(ByteSpan image, uint64_t at, DumpReport& report) {
  report.Line(0, fmt::format("image at {}: {} bytes", at, image.size()));
  SpanSource source(image);
  const Result<SegmentIndex> index = SegmentIndex::Parse(source, image.size());
  if (index.status().code() == StatusCode::kUnsupported) {
    return index.status().WithContext(fmt::format("image at {}", at));
  }
  if (!index.ok()) {
    report.Damage(at, index.status());
    return Status::Ok();
  }
  report.Line(1, Describe(index->properties()));
  for (size_t i = 0; i < index->block_count() && !report.closed(); ++i) {
    STRATA_RETURN_IF_ERROR(CheckInterrupt());
    STRATA_RETURN_IF_ERROR(
        DumpBlock(image, at, *index, index->block(i), report));
  }
  report.Line(0, fmt::format("index at {}: {} blocks; footer at {}",
                             at + index->frames_end(), index->block_count(),
                             at + image.size() - kSegmentFooterBytes));
  return Status::Ok();
}

}  // namespace

Status DumpSegments(ByteSpan file, DumpReport& report) {
  uint64_t at = 0;
  while (at < file.size() && !report.closed()) {
    const ByteSpan rest = file.subspan(at);
    const auto bytes = AsText(rest).starts_with(kSegmentMagic)
                           ? ImageBytes(rest)
                           : std::nullopt;
    if (bytes) {
      STRATA_RETURN_IF_ERROR(DumpImage(rest.first(*bytes), at, report));
      at = AlignUp(at + *bytes, kSegmentImageAlignment);
      continue;
    }
    report.Damage(at, AsText(rest).starts_with(kSegmentMagic)
                          ? "segment image: no footer found"
                          : "expected a segment image, found other bytes");
    // On with the next image of the bundle.
    do {
      at += kSegmentImageAlignment;
    } while (at < file.size() &&
             !AsText(file.subspan(at)).starts_with(kSegmentMagic));
  }
  return Status::Ok();
}

}  // namespace strata::cli
