#include "wal/wal_rewrite.h"

#include "format/frame.h"
#include "format/wal_format.h"

namespace strata {

Status ReseedWalGroup(std::span<std::byte> bytes, const TopicId& log_id,
                      uint64_t old_life, uint64_t life) {
  STRATA_ASSIGN_OR_RETURN(const WalGroupHeader group,
                          DecodeWalGroupHeader(bytes, log_id, old_life));
  for (size_t at = group.frames_at(); at < group.bytes;) {
    STRATA_ASSIGN_OR_RETURN(const DecodedFrame frame,
                            DecodeFrame(ByteSpan(bytes).subspan(at), old_life));
    EncodeFrameHeader(frame.header, life,
                      bytes.subspan(at).first<kFrameHeaderBytes>(),
                      frame.tagged);
    at += frame.frame_bytes;
  }
  EncodeWalGroupHeader(
      group, log_id, life, bytes.first<kWalGroupHeaderBytes>(),
      ByteSpan(bytes).subspan(kWalGroupHeaderBytes, group.tagged_bytes));
  return Status::Ok();
}

Status WriteWalHeader(WalFile& file, const TopicId& log_id) {
  const std::string block =
      EncodeWalFileHeader({.log_id = log_id,
                           .life = file.life,
                           .first_group_seq = file.first_seq,
                           .file_bytes = file.file_bytes});
  STRATA_RETURN_IF_ERROR(file.file->Write(0, AsBytes(block)));
  file.header_written = true;
  return Status::Ok();
}

Result<std::vector<std::shared_ptr<WalFile>>> RewriteWalGroups(
    std::span<const WalGroup> groups, const TopicId& log_id,
    WalSpares& spares) {
  std::vector<std::shared_ptr<WalFile>> made;
  std::vector<std::byte> scratch;
  for (const WalGroup& group : groups) {
    if (made.empty() ||
        made.back()->end + group.bytes > made.back()->file_bytes) {
      // A header says that all groups of older files are durable.
      if (!made.empty()) STRATA_RETURN_IF_ERROR(made.back()->file->Sync());
      STRATA_ASSIGN_OR_RETURN(std::shared_ptr<WalFile> next,
                              spares.TakeBlocking());
      next->first_seq = group.seq;
      STRATA_RETURN_IF_ERROR(WriteWalHeader(*next, log_id));
      made.push_back(std::move(next));
    }
    WalFile& file = *made.back();
    const auto bytes = group.chunk->bytes().subspan(group.begin, group.bytes);
    scratch.assign(bytes.begin(), bytes.end());
    STRATA_RETURN_IF_ERROR(
        ReseedWalGroup(scratch, log_id, group.file->life, file.life));
    STRATA_RETURN_IF_ERROR(file.file->Write(file.end, scratch));
    file.end += group.bytes;
    file.last_seq = group.seq;
    file.chunks.push_back(group.chunk);
  }
  STRATA_RETURN_IF_ERROR(made.back()->file->Sync());
  return made;
}

}  // namespace strata
