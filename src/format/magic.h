// The first bytes of each kind of file, by which tools tell them apart.
#pragma once

#include <cstddef>
#include <string_view>

namespace strata {

inline constexpr std::string_view kWalFileMagic = "STRTWAL1";
inline constexpr std::string_view kSegmentMagic = "STRATSEG";
inline constexpr std::string_view kManifestMagic = "STRATAMF";
inline constexpr std::string_view kColdRootMagic = "STRACOLD";
inline constexpr std::string_view kColdGroupMagic = "STRAGRUP";
inline constexpr std::string_view kColdTopicsMagic = "STRATOPS";

// In the footer, at the end of a segment image.
inline constexpr std::string_view kSegmentFooterMagic = "STRATEND";
inline constexpr size_t kSegmentFooterMagicAt = 40;

}  // namespace strata
