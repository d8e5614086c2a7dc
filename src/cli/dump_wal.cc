// dump: files of the write-ahead log.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "cli/dump.h"
#include "cli/interrupt.h"
#include "format/wal_format.h"
#include "wal/wal_scan.h"

namespace strata::cli {
namespace {

// Groups of one file, and which of them were known durable. Owned by one
// thread.
class WalDump {
 public:
  WalDump(ByteSpan file, const WalFileHeader& header, DumpReport& report)
      : file_(file), header_(header), report_(report) {}

  // Walks as recovery does: where there is no group the next block may hold
  // one.
  Status Run() {
    uint64_t at = kWalBlockBytes;
    while (at < file_.size() && !report_.closed()) {
      STRATA_RETURN_IF_ERROR(CheckInterrupt());
      const Result<WalGroupHeader> group =
          DecodeWalGroupHeader(file_.subspan(at), header_.log_id, header_.life);
      if (group.status().code() == StatusCode::kUnsupported) {
        return group.status().WithContext(fmt::format("group at {}", at));
      }
      if (!group.ok() || group->seq <= last_seq_ ||
          group->bytes > file_.size() - at) {
        at += kWalBlockBytes;
        continue;
      }
      STRATA_RETURN_IF_ERROR(Group(*group, at));
      end_ = at + group->bytes;
      at = AlignUp(end_, kWalBlockBytes);
    }
    TellUnsynced();
    report_.Line(0, fmt::format("{} groups end at {}", groups_, end_));
    return Status::Ok();
  }

 private:
  struct Fault {
    uint64_t seq = 0;
    uint64_t position = 0;
    std::string what;
  };

  Status Group(const WalGroupHeader& group, uint64_t at) {
    report_.Line(0, fmt::format("group at {}: seq {}, synced through {}, {} "
                                "frames, {} bytes",
                                at, group.seq, group.synced_seq, group.frames,
                                group.bytes));
    const uint64_t expected =
        last_seq_ == 0 ? header_.first_group_seq : last_seq_ + 1;
    if (group.seq > expected) {
      faults_.push_back({expected, end_,
                         fmt::format("groups {} to {} are missing", expected,
                                     group.seq - 1)});
    }
    ++groups_;
    last_seq_ = group.seq;
    synced_seq_ = std::max(synced_seq_, group.synced_seq);
    return Frames(group, at, file_.subspan(at, group.bytes));
  }

  Status Frames(const WalGroupHeader& group, uint64_t at, ByteSpan bytes) {
    STRATA_ASSIGN_OR_RETURN(const ScannedFrames scanned,
                            ScanWalGroup(bytes, group, header_.life));
    for (const ScannedFrames::Frame& frame : scanned.frames) {
      DumpFrame(frame.frame.header, at + frame.at, report_);
      if (!frame.payload_fault.empty()) {
        faults_.push_back({group.seq, at + frame.at, frame.payload_fault});
      }
    }
    for (const ScannedFrames::Hole& hole : scanned.holes) {
      faults_.push_back({group.seq, at + hole.begin, hole.fault});
    }
    return Status::Ok();
  }

  // Above what is known synced, a fault is the torn end of a crash.
  void TellUnsynced() {
    for (const Fault& fault : faults_) {
      if (fault.seq <= synced_seq_) {
        report_.Damage(fault.position, fault.what);
      } else {
        report_.Line(0, fmt::format("torn at {}, never known durable: {}",
                                    fault.position, fault.what));
      }
    }
  }

  const ByteSpan file_;
  const WalFileHeader& header_;
  DumpReport& report_;
  std::vector<Fault> faults_;
  uint64_t groups_ = 0;
  uint64_t last_seq_ = 0;
  uint64_t synced_seq_ = 0;
  uint64_t end_ = kWalBlockBytes;  // of the last group
};

}  // namespace

Status DumpWal(ByteSpan file, DumpReport& report) {
  const size_t head = std::min<size_t>(file.size(), kWalBlockBytes);
  STRATA_ASSIGN_OR_RETURN(const WalFileHeader header,
                          DecodeWalFileHeader(file.first(head)));
  report.Line(0, fmt::format("header at 0: log {}, life {}, groups from {}, "
                             "{} bytes",
                             header.log_id.ToString(), header.life,
                             header.first_group_seq, header.file_bytes));
  if (header.file_bytes != file.size()) {
    report.Damage(0, fmt::format("expected a file of {} bytes, found {}",
                                 header.file_bytes, file.size()));
  }
  return WalDump(file, header, report).Run();
}

}  // namespace strata::cli
