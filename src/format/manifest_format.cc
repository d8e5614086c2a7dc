#include "format/manifest_format.h"

#include <fmt/format.h>

#include <array>

#include "base/bytes.h"
#include "format/field_io.h"

namespace strata {
namespace {

// Tags of ops; docs/formats/manifest.md. Odd ones are required, even ones
// optional. Each is the place of the op's type in ManifestOp, doubled plus 1.
template <size_t kIndex>
constexpr uint64_t kOpTag = 2 * kIndex + 1;
constexpr size_t kKnownOps = std::variant_size_v<ManifestOp> - 1;
constexpr std::array<std::string_view, kKnownOps> kOpNames = {
    "TopicCreated",     "TopicDeleted",     "SegmentAdded", "SegmentRemoved",
    "SegmentTruncated", "PartitionChanged", "WalNeeded",    "Checkpoint",
    "SnapshotEnd",      "PurgePending",     "PurgeDone",    "SessionBegun"};

// Tags of fields in TopicCreated.
constexpr uint64_t kHotMaxAge = 2;
constexpr uint64_t kWarmMaxAge = 4;
constexpr uint64_t kTargetSegmentBytes = 6;
constexpr uint64_t kEnablePromotion = 8;
// In SegmentAdded.
constexpr std::array<uint64_t, 2> kSegmentTags = {1, 3};
constexpr uint64_t kWarmAddress = 1;
constexpr uint64_t kColdAddress = 3;
// In PartitionChanged.
constexpr std::array<uint64_t, 9> kPartitionTags = {1,  3,  5,  7, 9,
                                                    11, 13, 15, 17};
constexpr uint64_t kLogStart = 1;
constexpr uint64_t kFlushedEnd = 3;
constexpr uint64_t kColdEnd = 5;
constexpr uint64_t kColdGeneration = 7;
constexpr uint64_t kEpochs = 9;
constexpr uint64_t kDamaged = 11;
constexpr uint64_t kDamagedTail = 13;
constexpr uint64_t kAccess = 14;
constexpr uint64_t kColdClaim = 15;
constexpr uint64_t kFencedBy = 17;
// In PurgePending.
constexpr std::array<uint64_t, 1> kPurgeTags = {1};
constexpr uint64_t kPurgeClaims = 1;

Status Malformed() {
  return {StatusCode::kDataLoss, "body cut short or malformed"};
}

template <typename Write>
std::string Encoded(Write write) {
  ByteWriter out;
  write(out);
  return out.Take();
}

void WriteClaim(const ColdClaim& claim, ByteWriter& out) {
  out.Varint(claim.number);
  WriteField(claim.owner, out);
  out.Fixed<uint64_t>(claim.session);
}

std::string Encoded(uint64_t value) {
  return Encoded([&](ByteWriter& out) { out.Varint(value); });
}
std::string Encoded(const ColdClaim& claim) {
  return Encoded([&](ByteWriter& out) { WriteClaim(claim, out); });
}
std::string Encoded(bool value) {
  return Encoded([&](ByteWriter& out) { out.Fixed<uint8_t>(value); });
}

// Takes field `tag` out of `tags`; `read` reads its value. A value that is not
// read to its end makes `good` false.
template <typename Read>
auto Take(TaggedFields& tags, uint64_t tag, bool& good, Read read)
    -> std::optional<std::invoke_result_t<Read, FieldReader&>> {
  const auto field = tags.extract(tag);
  if (field.empty()) return std::nullopt;
  FieldReader in(AsBytes(field.mapped()));
  auto value = read(in);
  good = good && in.Done();
  return value;
}

void WriteField(const TaggedFields& tags, ByteWriter& out) {
  out.Bytes(AsBytes(EncodeTaggedFields(tags)));
}

// ---- one Encode and one Decode for each op ---------------------------------

void Encode(const TopicCreated& op, ByteWriter& out) {
  WriteField(op.id, out);
  out.LengthPrefixed(op.name);
  out.Varint(op.partitions);
  TaggedFields tags = op.extra;
  const auto age = [](std::chrono::milliseconds ms) {
    return Encoded(ZigZag(ms.count()));
  };
  const TopicSettings& set = op.settings;
  if (set.hot_max_age) tags[kHotMaxAge] = age(*set.hot_max_age);
  if (set.warm_max_age) tags[kWarmMaxAge] = age(*set.warm_max_age);
  if (set.target_segment_bytes) {
    tags[kTargetSegmentBytes] = Encoded(*set.target_segment_bytes);
  }
  if (set.enable_promotion) {
    tags[kEnablePromotion] = Encoded(*set.enable_promotion);
  }
  WriteField(tags, out);
}

Status Decode(FieldReader& in, TopicCreated& op) {
  op.id = in.Topic();
  op.name = in.Text();
  op.partitions = in.U32();
  if (!in.good()) return Malformed();
  STRATA_ASSIGN_OR_RETURN(op.extra, DecodeTaggedFields(in.Rest()));
  bool good = true;
  const auto age = [](FieldReader& r) {
    return std::chrono::milliseconds(r.I64());
  };
  op.settings.hot_max_age = Take(op.extra, kHotMaxAge, good, age);
  op.settings.warm_max_age = Take(op.extra, kWarmMaxAge, good, age);
  op.settings.target_segment_bytes =
      Take(op.extra, kTargetSegmentBytes, good,
           [](FieldReader& r) { return r.U64(); });
  op.settings.enable_promotion = Take(op.extra, kEnablePromotion, good,
                                      [](FieldReader& r) { return r.Bool(); });
  return good ? Status::Ok() : Malformed();
}

void Encode(const TopicDeleted& op, ByteWriter& out) { WriteField(op.id, out); }

// For ops that leave nothing to pass an optional field on with.
Status CheckRest(FieldReader& in) {
  if (!in.good()) return Malformed();
  return DecodeTaggedFields(in.Rest()).status();
}

Status Decode(FieldReader& in, TopicDeleted& op) {
  op.id = in.Topic();
  return CheckRest(in);
}

void Encode(const SegmentAdded& op, ByteWriter& out) {
  const SegmentEntry& e = op.entry;
  out.Varint(e.id);
  WriteField(e.partition, out);
  WriteImageFacts(e, out);
  TaggedFields tags = op.extra;
  if (e.warm) {
    tags[kWarmAddress] = Encoded([&](ByteWriter& field) {
      field.Varint(e.warm->file);
      field.Varint(e.warm->position);
      field.Varint(e.warm->length);
    });
  }
  if (e.cold) {
    tags[kColdAddress] = Encoded([&](ByteWriter& field) {
      field.LengthPrefixed(e.cold->key);
      field.Varint(e.cold->position);
      field.Varint(e.cold->length);
    });
  }
  WriteField(tags, out);
}

WarmAddress ReadWarmAddress(FieldReader& in) {
  WarmAddress at;
  at.file = in.U64();
  at.position = in.U64();
  at.length = in.U64();
  return at;
}

ColdAddress ReadColdAddress(FieldReader& in) {
  ColdAddress at;
  at.key = in.Text();
  at.position = in.U64();
  at.length = in.U64();
  return at;
}

Status Decode(FieldReader& in, SegmentAdded& op) {
  SegmentEntry& e = op.entry;
  e.id = in.U64();
  e.partition = in.Partition();
  ReadImageFacts(in, e);
  if (!in.good()) return Malformed();
  STRATA_ASSIGN_OR_RETURN(op.extra,
                          DecodeTaggedFields(in.Rest(), kSegmentTags));
  bool good = true;
  e.warm = Take(op.extra, kWarmAddress, good, ReadWarmAddress);
  e.cold = Take(op.extra, kColdAddress, good, ReadColdAddress);
  return good ? Status::Ok() : Malformed();
}

void Encode(const SegmentRemoved& op, ByteWriter& out) {
  WriteField(op.partition, out);
  out.Varint(op.id);
}

Status Decode(FieldReader& in, SegmentRemoved& op) {
  op.partition = in.Partition();
  op.id = in.U64();
  return CheckRest(in);
}

void Encode(const SegmentTruncated& op, ByteWriter& out) {
  WriteField(op.partition, out);
  out.Varint(op.id);
  out.Varint(op.end.value());
}

Status Decode(FieldReader& in, SegmentTruncated& op) {
  op.partition = in.Partition();
  op.id = in.U64();
  op.end = in.ReadOffset();
  return CheckRest(in);
}

void Encode(const PartitionChanged& op, ByteWriter& out) {
  WriteField(op.partition, out);
  TaggedFields tags = op.extra;
  if (op.log_start) tags[kLogStart] = Encoded(op.log_start->value());
  if (op.flushed_end) tags[kFlushedEnd] = Encoded(op.flushed_end->value());
  if (op.cold_end) tags[kColdEnd] = Encoded(op.cold_end->value());
  if (op.cold_generation) tags[kColdGeneration] = Encoded(*op.cold_generation);
  if (op.cold_claim) tags[kColdClaim] = Encoded(*op.cold_claim);
  if (op.fenced_by) tags[kFencedBy] = Encoded(*op.fenced_by);
  if (op.epochs) {
    tags[kEpochs] = Encoded([&](ByteWriter& field) {
      for (const EpochStart& start : *op.epochs) {
        field.Varint(start.epoch.value());
        field.Varint(start.start.value());
      }
    });
  }
  if (op.damaged) {
    tags[kDamaged] = Encoded([&](ByteWriter& field) {
      for (const OffsetRange& range : *op.damaged) WriteField(range, field);
    });
  }
  if (op.damaged_tail) tags[kDamagedTail] = Encoded(*op.damaged_tail);
  if (op.access) {
    tags[kAccess] = Encoded([&](ByteWriter& field) {
      for (const auto& [base, access] : *op.access) {
        field.Varint(base.value());
        field.Varint(access.segment);
        field.Varint(access.count);
        field.Varint(ZigZag(access.last));
      }
    });
  }
  WriteField(tags, out);
}

std::vector<EpochStart> ReadEpochs(FieldReader& in) {
  std::vector<EpochStart> epochs;
  while (in.good() && !in.AtEnd()) {
    const Epoch epoch(in.U32());
    epochs.push_back({epoch, in.ReadOffset()});
  }
  return epochs;
}

std::vector<OffsetRange> ReadRanges(FieldReader& in) {
  std::vector<OffsetRange> ranges;
  while (in.good() && !in.AtEnd()) ranges.push_back(in.Range());
  return ranges;
}

std::map<Offset, SegmentAccess> ReadAccess(FieldReader& in) {
  std::map<Offset, SegmentAccess> all;
  while (in.good() && !in.AtEnd()) {
    SegmentAccess& access = all[in.ReadOffset()];
    access.segment = in.U64();
    access.count = in.U64();
    access.last = in.I64();
  }
  return all;
}

ColdClaim ReadClaim(FieldReader& in) {
  ColdClaim claim;
  claim.number = in.U64();
  claim.owner = in.Topic();
  claim.session = in.Fixed64();
  return claim;
}

Status Decode(FieldReader& in, PartitionChanged& op) {
  op.partition = in.Partition();
  if (!in.good()) return Malformed();
  STRATA_ASSIGN_OR_RETURN(op.extra,
                          DecodeTaggedFields(in.Rest(), kPartitionTags));
  bool good = true;
  const auto offset = [](FieldReader& r) { return r.ReadOffset(); };
  op.log_start = Take(op.extra, kLogStart, good, offset);
  op.flushed_end = Take(op.extra, kFlushedEnd, good, offset);
  op.cold_end = Take(op.extra, kColdEnd, good, offset);
  op.cold_generation = Take(op.extra, kColdGeneration, good,
                            [](FieldReader& r) { return r.U64(); });
  op.cold_claim = Take(op.extra, kColdClaim, good, ReadClaim);
  op.fenced_by = Take(op.extra, kFencedBy, good, ReadClaim);
  op.epochs = Take(op.extra, kEpochs, good, ReadEpochs);
  op.damaged = Take(op.extra, kDamaged, good, ReadRanges);
  op.damaged_tail = Take(op.extra, kDamagedTail, good,
                         [](FieldReader& r) { return r.Bool(); });
  op.access = Take(op.extra, kAccess, good, ReadAccess);
  return good ? Status::Ok() : Malformed();
}

void Encode(const WalNeeded& op, ByteWriter& out) { out.Varint(op.from_seq); }

Status Decode(FieldReader& in, WalNeeded& op) {
  op.from_seq = in.U64();
  return CheckRest(in);
}

void Encode(const Checkpoint& op, ByteWriter& out) {
  out.Varint(op.wal_synced_seq);
  out.Fixed<uint8_t>(op.clean);
  out.Varint(op.next_segment_id);
  out.Varint(op.next_file_number);
  out.Varint(ZigZag(op.at));
  WriteField(op.extra, out);
}

Status Decode(FieldReader& in, Checkpoint& op) {
  op.wal_synced_seq = in.U64();
  op.clean = in.Bool();
  op.next_segment_id = in.U64();
  op.next_file_number = in.U64();
  op.at = in.I64();
  if (!in.good()) return Malformed();
  STRATA_ASSIGN_OR_RETURN(op.extra, DecodeTaggedFields(in.Rest()));
  return Status::Ok();
}

void Encode(const SnapshotEnd&, ByteWriter&) {}
Status Decode(FieldReader& in, SnapshotEnd&) { return CheckRest(in); }

void Encode(const PurgePending& op, ByteWriter& out) {
  WriteField(op.id, out);
  out.LengthPrefixed(op.name);
  TaggedFields tags = op.extra;
  if (!op.claims.empty()) {
    tags[kPurgeClaims] = Encoded([&](ByteWriter& field) {
      for (const ColdClaim& claim : op.claims) WriteClaim(claim, field);
    });
  }
  WriteField(tags, out);
}

std::vector<ColdClaim> ReadClaims(FieldReader& in) {
  std::vector<ColdClaim> claims;
  while (in.good() && !in.AtEnd()) claims.push_back(ReadClaim(in));
  return claims;
}

Status Decode(FieldReader& in, PurgePending& op) {
  op.id = in.Topic();
  op.name = in.Text();
  if (!in.good()) return Malformed();
  STRATA_ASSIGN_OR_RETURN(op.extra, DecodeTaggedFields(in.Rest(), kPurgeTags));
  bool good = true;
  op.claims =
      Take(op.extra, kPurgeClaims, good, ReadClaims).value_or(op.claims);
  return good ? Status::Ok() : Malformed();
}

void Encode(const PurgeDone& op, ByteWriter& out) { WriteField(op.id, out); }

Status Decode(FieldReader& in, PurgeDone& op) {
  op.id = in.Topic();
  return CheckRest(in);
}

void Encode(const SessionBegun& op, ByteWriter& out) {
  out.Fixed<uint64_t>(op.session);
}

Status Decode(FieldReader& in, SessionBegun& op) {
  op.session = in.Fixed64();
  return CheckRest(in);
}

// ---- ops by tag ------------------------------------------------------------

template <size_t kIndex = 0>
Result<ManifestOp> DecodeOp(uint64_t tag, ByteSpan body) {
  if constexpr (kIndex < kKnownOps) {
    if (tag != kOpTag<kIndex>) return DecodeOp<kIndex + 1>(tag, body);
    std::variant_alternative_t<kIndex, ManifestOp> op;
    FieldReader in(body);
    STRATA_RETURN_IF_ERROR(Decode(in, op).WithContext(kOpNames[kIndex]));
    return ManifestOp(std::move(op));
  } else {
    if (IsRequiredTag(tag)) {
      return Status(StatusCode::kUnsupported,
                    fmt::format("required op {} needs a newer version", tag));
    }
    return ManifestOp(UnknownOp{tag, std::string(AsText(body))});
  }
}

void EncodeOp(const ManifestOp& op, ByteWriter& out) {
  if (const auto* unknown = std::get_if<UnknownOp>(&op)) {
    out.Varint(unknown->tag);
    out.LengthPrefixed(unknown->body);
    return;
  }
  ByteWriter body;
  std::visit(
      [&](const auto& known) {
        if constexpr (!std::is_same_v<decltype(known), const UnknownOp&>) {
          Encode(known, body);
        }
      },
      op);
  out.Varint(2 * op.index() + 1);
  out.LengthPrefixed(body.str());
}

}  // namespace

std::string EncodeTopic(const TopicCreated& topic) {
  ByteWriter out;
  Encode(topic, out);
  return out.Take();
}

Result<TopicCreated> DecodeTopic(ByteSpan bytes) {
  TopicCreated topic;
  FieldReader in(bytes);
  STRATA_RETURN_IF_ERROR(Decode(in, topic));
  return topic;
}

std::string EncodeManifestEdit(const ManifestEdit& edit) {
  ByteWriter out;
  out.Varint(edit.ops.size());
  for (const ManifestOp& op : edit.ops) EncodeOp(op, out);
  return out.Take();
}

Result<ManifestEdit> DecodeManifestEdit(ByteSpan bytes) {
  ByteReader in(bytes);
  const std::optional<uint64_t> count = in.Varint();
  if (!count) return Status(StatusCode::kDataLoss, "op count cut short");
  ManifestEdit edit;
  for (uint64_t i = 0; i < *count; ++i) {
    const size_t at = in.position();
    const std::optional<uint64_t> tag = in.Varint();
    const std::optional<std::string_view> body =
        tag ? in.LengthPrefixed() : std::nullopt;
    if (!body) {
      return Status(StatusCode::kDataLoss,
                    fmt::format("op {} of {} at {} cut short", i, *count, at));
    }
    Result<ManifestOp> op = DecodeOp(*tag, AsBytes(*body));
    if (!op.ok()) {
      return op.status().WithContext(fmt::format("op {} at {}", i, at));
    }
    edit.ops.push_back(*std::move(op));
  }
  if (in.remaining() != 0) {
    return Status(StatusCode::kDataLoss,
                  fmt::format("{} bytes behind the last op at {}",
                              in.remaining(), in.position()));
  }
  return edit;
}

}  // namespace strata
