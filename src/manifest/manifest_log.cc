#include "manifest/manifest_log.h"

#include <fmt/format.h>

namespace strata {
namespace {

std::string EncodeFile(const ManifestHeader& header,
                       const std::vector<ManifestEdit>& snapshot) {
  std::string out = EncodeManifestHeader(header);
  for (const ManifestEdit& edit : snapshot) {
    const ManifestRecordPlace place{
        .number = header.number, .position = out.size(), .synced_through = 0};
    AppendManifestRecord(place, AsBytes(EncodeManifestEdit(edit)), out);
  }
  return out;
}

Result<std::unique_ptr<File>> WriteSynced(FileSystem& files,
                                          std::string_view path,
                                          ByteSpan bytes) {
  STRATA_ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                          files.Open(path, OpenMode::kCreate));
  STRATA_RETURN_IF_ERROR(file->Write(0, bytes));
  STRATA_RETURN_IF_ERROR(file->Sync());
  return file;
}

}  // namespace

std::string ManifestPath(uint64_t number) {
  return fmt::format("{}/MANIFEST-{:020}", kManifestDirectory, number);
}

std::string ManifestTemporaryPath(uint64_t number) {
  return ManifestPath(number) + ".tmp";
}

ManifestLog::Created ManifestLog::Create(
    FileSystem& files, const ManifestHeader& header,
    const std::vector<ManifestEdit>& snapshot) {
  const std::string bytes = EncodeFile(header, snapshot);
  const std::string temporary = ManifestTemporaryPath(header.number);
  Result<std::unique_ptr<File>> file =
      WriteSynced(files, temporary, AsBytes(bytes));
  if (!file.ok()) {
    // A leftover is removed at the next open, too.
    (void)files.Remove(temporary);
    return {.log = nullptr, .status = file.status(), .may_exist = false};
  }
  Status status = files.Rename(temporary, ManifestPath(header.number));
  if (status.ok()) status = files.SyncDirectory(kManifestDirectory);
  if (!status.ok()) {
    return {.log = nullptr, .status = std::move(status), .may_exist = true};
  }
  return {.log = std::unique_ptr<ManifestLog>(
              new ManifestLog(*std::move(file), header.number, bytes.size())),
          .status = Status::Ok(),
          .may_exist = true};
}

Status ManifestLog::Append(const std::vector<std::string>& bodies) {
  std::string records;
  for (const std::string& body : bodies) {
    AppendManifestRecord({.number = number_,
                          .position = synced_ + records.size(),
                          .synced_through = synced_},
                         AsBytes(body), records);
  }
  STRATA_RETURN_IF_ERROR(file_->Write(synced_, AsBytes(records)));
  STRATA_RETURN_IF_ERROR(file_->Sync());
  synced_ += records.size();
  return Status::Ok();
}

}  // namespace strata
