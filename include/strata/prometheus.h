// ToPrometheusText: a snapshot of figures for a monitoring system.
//
//   response.set_content(strata::ToPrometheusText(storage->Stats()),
//                        strata::kPrometheusContentType);
#pragma once

#include <string>
#include <string_view>

#include "strata/stats.h"

namespace strata {

// Of an HTTP answer that carries the text.
inline constexpr std::string_view kPrometheusContentType =
    "text/plain; version=0.0.4; charset=utf-8";

// Prometheus' exposition format 0.0.4: every figure of `stats` under a name
// that begins with strata_, with HELP and TYPE, in seconds and bytes. Counters
// (..._total) and latencies count from Open. Latencies are summaries with the
// quantiles 0.5, 0.99 and 0.999, NaN as long as there are none, and beside each
// a gauge ..._max_seconds.
std::string ToPrometheusText(const TieredStorageStats& stats);

}  // namespace strata
