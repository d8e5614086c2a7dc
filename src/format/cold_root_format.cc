#include "format/cold_root_format.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "format/field_io.h"
#include "format/magic.h"

namespace strata {
namespace {

// docs/formats/cold-layout.md.
constexpr size_t kVersionAt = 8;
constexpr size_t kCrcAt = 12;
constexpr size_t kBodyBytesAt = 16;
constexpr size_t kHeaderBytes = 24;
constexpr size_t kMaxKeyBytes = 1024;

// Of everything but the checksum itself.
uint32_t RootCrc(ByteSpan bytes) {
  return ExtendCrc32c(Crc32c(bytes.first(kCrcAt)), bytes.subspan(kBodyBytesAt));
}

void WriteEntry(const SegmentEntry& e, ByteWriter& out) {
  out.Varint(e.id);
  WriteImageFacts(e, out);
  out.LengthPrefixed(e.cold->key);
  out.Varint(e.cold->position);
}

SegmentEntry ReadEntry(FieldReader& in, const PartitionId& partition) {
  SegmentEntry e;
  e.id = in.U64();
  e.partition = partition;
  ReadImageFacts(in, e);
  e.cold = ColdAddress{in.Text(), 0, e.image_bytes};
  e.cold->position = in.U64();
  return e;
}

Status Damaged(std::string message) {
  return {StatusCode::kDataLoss, "cold root: " + std::move(message)};
}

// The body of a root whose header is good.
Result<ByteSpan> BodyOf(ByteSpan bytes) {
  if (bytes.size() < kHeaderBytes) {
    return Damaged(fmt::format("expected a header of {} bytes, found {}",
                               kHeaderBytes, bytes.size()));
  }
  if (AsText(bytes.first(kColdRootMagic.size())) != kColdRootMagic) {
    return Damaged(fmt::format("expected \"{}\" at 0", kColdRootMagic));
  }
  const auto body_bytes = LoadLittle<uint64_t>(bytes.data() + kBodyBytesAt);
  if (body_bytes != bytes.size() - kHeaderBytes) {
    return Damaged(fmt::format("expected a body of {} bytes, found {}",
                               body_bytes, bytes.size() - kHeaderBytes));
  }
  const auto expected = LoadLittle<uint32_t>(bytes.data() + kCrcAt);
  const uint32_t found = RootCrc(bytes);
  if (expected != found) {
    return Damaged(fmt::format("checksum at {}: expected {:08x}, found {:08x}",
                               kCrcAt, expected, found));
  }
  const auto version = LoadLittle<uint32_t>(bytes.data() + kVersionAt);
  if (version != kColdRootVersion) {
    return Status(StatusCode::kUnsupported,
                  fmt::format("cold root: version {} needs another build, "
                              "this one reads {}",
                              version, kColdRootVersion));
  }
  return bytes.subspan(kHeaderBytes);
}

// Reads the fields of `root` up to its entries.
Status ReadHead(FieldReader& in, const PartitionId& partition, ColdRoot& root) {
  const PartitionId found = in.Partition();
  if (in.good() && found != partition) {
    return Damaged(fmt::format("expected the one of {}, found {}",
                               partition.ToString(), found.ToString()));
  }
  root.generation = in.U64();
  root.commit_id = in.Fixed64();
  root.topic_name = in.Text();
  root.log_start = Offset(in.U64());
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    const Epoch epoch(in.U32());
    root.epochs.push_back({epoch, Offset(in.U64())});
  }
  return Status::Ok();
}

Status Invalid(std::string message) {
  return {StatusCode::kInvalidArgument, std::move(message)};
}

Status ValidateEpochs(const std::vector<EpochStart>& epochs) {
  for (size_t i = 1; i < epochs.size(); ++i) {
    const EpochStart& before = epochs[i - 1];
    if (before.epoch < epochs[i].epoch && before.start <= epochs[i].start) {
      continue;
    }
    return Invalid(
        fmt::format("epoch {} from offset {} follows epoch {} from offset {}",
                    epochs[i].epoch.value(), epochs[i].start.value(),
                    before.epoch.value(), before.start.value()));
  }
  return Status::Ok();
}

Status ValidateAddress(const SegmentEntry& e) {
  if (!e.cold || e.cold->key.empty() || e.cold->key.size() > kMaxKeyBytes) {
    return Invalid("no cold address");
  }
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  if (e.cold->length != e.image_bytes ||
      e.cold->position > kMax - e.cold->length) {
    return Invalid(fmt::format("address of {} bytes at {} for {} bytes",
                               e.cold->length, e.cold->position,
                               e.image_bytes));
  }
  return e.warm ? Invalid("a warm address") : Status::Ok();
}

// `begin`: where the entry before it ends.
Status ValidateEntry(const PartitionId& partition, const SegmentEntry& e,
                     std::optional<Offset> begin) {
  if (e.partition != partition) {
    return Invalid("of partition " + e.partition.ToString());
  }
  if (e.offsets.empty()) return Invalid("empty offset range");
  if (begin && e.offsets.base != *begin) {
    return Invalid(
        fmt::format("begins at offset {}, the one before it ends at "
                    "{}",
                    e.offsets.base.value(), begin->value()));
  }
  return ValidateAddress(e);
}

}  // namespace

Status ValidateColdRoot(const PartitionId& partition, const ColdRoot& root) {
  if (root.generation == 0) return Invalid("generation 0");
  STRATA_RETURN_IF_ERROR(ValidateEpochs(root.epochs));
  std::optional<Offset> begin;
  for (const auto& [base, entry] : root.entries) {
    const Status status = base == entry.offsets.base
                              ? ValidateEntry(partition, entry, begin)
                              : Invalid("under another base offset");
    if (!status.ok()) {
      return status.WithContext(
          fmt::format("segment {} at offset {}", entry.id, base.value()));
    }
    begin = entry.offsets.end;
  }
  return Status::Ok();
}

std::string EncodeColdRoot(const PartitionId& partition, const ColdRoot& root) {
  ByteWriter out;
  out.Bytes(AsBytes(kColdRootMagic));
  out.Fixed<uint32_t>(kColdRootVersion);
  out.Fixed<uint32_t>(0);  // checksum and length come last
  out.Fixed<uint64_t>(0);
  out.Bytes(partition.topic.bytes);
  out.Varint(partition.partition);
  out.Varint(root.generation);
  out.Fixed<uint64_t>(root.commit_id);
  out.LengthPrefixed(root.topic_name);
  out.Varint(root.log_start.value());
  out.Varint(root.epochs.size());
  for (const EpochStart& start : root.epochs) {
    out.Varint(start.epoch.value());
    out.Varint(start.start.value());
  }
  out.Varint(root.entries.size());
  for (const auto& [base, entry] : root.entries) WriteEntry(entry, out);
  out.Bytes(AsBytes(EncodeTaggedFields(root.extra)));
  std::string bytes = out.Take();
  auto* p = reinterpret_cast<std::byte*>(bytes.data());
  StoreLittle<uint64_t>(p + kBodyBytesAt, bytes.size() - kHeaderBytes);
  StoreLittle<uint32_t>(p + kCrcAt, RootCrc(AsBytes(bytes)));
  return bytes;
}

Result<PartitionId> DecodeColdRootPartition(ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body, BodyOf(bytes));
  FieldReader in(body);
  const PartitionId partition = in.Partition();
  if (!in.good()) return Damaged("partition cut short or malformed");
  return partition;
}

Result<ColdRoot> DecodeColdRoot(const PartitionId& partition, ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body, BodyOf(bytes));
  FieldReader in(body);
  ColdRoot root;
  STRATA_RETURN_IF_ERROR(ReadHead(in, partition, root));
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    SegmentEntry entry = ReadEntry(in, partition);
    const Offset base = entry.offsets.base;
    if (in.good() && !root.entries.emplace(base, std::move(entry)).second) {
      return Damaged(fmt::format("two segments at offset {}", base.value()));
    }
  }
  if (!in.good()) {
    return Damaged(fmt::format("field at {} cut short or malformed",
                               kHeaderBytes + in.position()));
  }
  Result<TaggedFields> extra = DecodeTaggedFields(in.Rest());
  if (!extra.ok()) return extra.status().WithContext("cold root");
  root.extra = *std::move(extra);
  const Status valid = ValidateColdRoot(partition, root);
  if (!valid.ok()) return Damaged(valid.message());
  return root;
}

}  // namespace strata
