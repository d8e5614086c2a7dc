#include "format/cold_root_format.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "format/field_io.h"

namespace strata {
namespace {

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

// The fields up to the groups.
void ReadHead(FieldReader& in, ColdRoot& root) {
  root.generation = in.U64();
  root.commit_id = in.Fixed64();
  root.claim.number = in.U64();
  root.claim.owner = in.Topic();
  root.claim.session = in.Fixed64();
  root.next_segment_id = in.U64();
  root.topic_name = in.Text();
  root.log_start = in.ReadOffset();
  for (uint64_t left = in.U64(); left > 0 && in.good(); --left) {
    const Epoch epoch(in.U32());
    root.epochs.push_back({epoch, in.ReadOffset()});
  }
}

}  // namespace

Offset ColdRoot::cold_base() const {
  if (!groups.empty()) return groups.front().offsets.base;
  return entries.empty() ? Offset(0) : entries.begin()->first;
}

Offset ColdRoot::cold_end() const {
  if (!entries.empty()) return entries.rbegin()->second.offsets.end;
  return groups.empty() ? Offset(0) : groups.back().offsets.end;
}

ColdTotals ColdRoot::totals() const {
  ColdTotals totals;
  for (const ColdGroupRef& group : groups) totals.Add(group.totals);
  for (const auto& [base, entry] : entries) totals.Add(entry);
  return totals;
}

Status ValidateColdRoot(const PartitionId& partition, const ColdRoot& root) {
  if (root.generation == 0) return Invalid("generation 0");
  STRATA_RETURN_IF_ERROR(ValidateEpochs(root.epochs));
  STRATA_ASSIGN_OR_RETURN(const std::optional<Offset> end,
                          ValidateGroupRefs(root.groups));
  return ValidateEntries(partition, root.entries, end).status();
}

std::string EncodeColdRoot(const PartitionId& partition, const ColdRoot& root) {
  ByteWriter out;
  WriteField(partition, out);
  out.Varint(root.generation);
  out.Fixed<uint64_t>(root.commit_id);
  out.Varint(root.claim.number);
  WriteField(root.claim.owner, out);
  out.Fixed<uint64_t>(root.claim.session);
  out.Varint(root.next_segment_id);
  out.LengthPrefixed(root.topic_name);
  out.Varint(root.log_start.value());
  out.Varint(root.epochs.size());
  for (const EpochStart& start : root.epochs) {
    out.Varint(start.epoch.value());
    out.Varint(start.start.value());
  }
  WriteGroupRefs(root.groups, out);
  WriteEntries(root.entries, out);
  out.Bytes(AsBytes(EncodeTaggedFields(root.extra)));
  return SealColdObject(kColdRootKind, out.Take());
}

Result<PartitionId> DecodeColdRootPartition(ByteSpan bytes) {
  return DecodeColdPartitionOf(kColdRootKind, bytes);
}

Result<ColdRoot> DecodeColdRoot(const PartitionId& partition, ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(const ByteSpan body,
                          OpenColdObject(kColdRootKind, bytes));
  FieldReader in(body);
  STRATA_RETURN_IF_ERROR(ExpectPartition(kColdRootKind, partition, in));
  ColdRoot root;
  ReadHead(in, root);
  root.groups = ReadGroupRefs(in);
  STRATA_ASSIGN_OR_RETURN(root.entries,
                          ReadEntries(kColdRootKind, partition, in));
  STRATA_ASSIGN_OR_RETURN(root.extra, ReadExtra(kColdRootKind, in));
  const Status valid = ValidateColdRoot(partition, root);
  if (!valid.ok()) return DamagedColdObject(kColdRootKind, valid.message());
  return root;
}

}  // namespace strata
