#include "bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <thread>

#include "strata/config.h"

namespace strata::bench {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> Outcome::Ratios() const {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.seconds.size(); ++i) {
    ratios.push_back(limits.front().seconds[i] / ours.seconds[i]);
  }
  return ratios;
}

double Outcome::Ratio() const { return Median(Ratios()); }

double Outcome::BeyondMs() const {
  std::vector<double> beyond;
  for (size_t i = 0; i < ours.seconds.size(); ++i) {
    beyond.push_back((ours.seconds[i] - limits.front().seconds[i]) * 1000);
  }
  return Median(beyond);
}

double Outcome::InUnit(const Series& series) const {
  const double seconds = Median(series.seconds);
  switch (unit) {
    case Unit::kMiBPerSecond:
      return static_cast<double>(work) / static_cast<double>(kMiB) / seconds;
    case Unit::kAppendsPerSecond:
    case Unit::kReadsPerSecond:
    case Unit::kCommitsPerSecond: return static_cast<double>(work) / seconds;
    case Unit::kMilliseconds: return seconds * 1000;
  }
  return 0;
}

std::string Outcome::Mark() const {
  if (mark) {
    return fmt::format("{:.2f} {}", *mark, Ratio() >= *mark ? "met" : "missed");
  }
  if (mark_beyond_ms) {
    return fmt::format("{:.0f} ms more {}", *mark_beyond_ms,
                       BeyondMs() < *mark_beyond_ms ? "met" : "missed");
  }
  return {};
}

namespace {

std::string_view Name(Unit unit) {
  switch (unit) {
    case Unit::kMiBPerSecond: return "MiB/s";
    case Unit::kAppendsPerSecond: return "appends/s";
    case Unit::kReadsPerSecond: return "reads/s";
    case Unit::kCommitsPerSecond: return "commits/s";
    case Unit::kMilliseconds: return "ms";
  }
  return "";
}

}  // namespace

// ---- table ----------------------------------------------------------------

void PrintHead(const Report& report, const std::filesystem::path& directory) {
  fmt::print("{} rounds in {}, {} processors\n", report.rounds,
             directory.native(), std::thread::hardware_concurrency());
  fmt::print("{:<40}{:>10}{:>12}{:>12}{:>7}{:>13}  {:<19}{}\n", "", "unit",
             "ours", "limit", "ratio", "of rounds", "mark", "limit by");
}

void Print(const Outcome& outcome) {
  const std::vector<double> ratios = outcome.Ratios();
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  fmt::print("{:<40}{:>10}{:>12.1f}{:>12.1f}{:>7.2f}{:>13}  {:<19}{}\n",
             outcome.name, Name(outcome.unit), outcome.InUnit(outcome.ours),
             outcome.InUnit(outcome.limits.front()), outcome.Ratio(),
             fmt::format("{:.2f}-{:.2f}", *least, *most), outcome.Mark(),
             outcome.limits.front().name);
  for (size_t i = 1; i < outcome.limits.size(); ++i) {
    fmt::print("{:62}{:>12.1f}{:41}{}\n", "", outcome.InUnit(outcome.limits[i]),
               "", outcome.limits[i].name);
  }
  std::fflush(stdout);
}

void Print(const Counts& counts) {
  fmt::print("\n{}\n", counts.name);
  for (const Count& count : counts.counts) {
    fmt::print("  {:<38}{:>22.3f}{}\n", count.name, count.value,
               count.limit
                   ? fmt::format("  limit {:.0f}, {}", *count.limit,
                                 count.value <= *count.limit ? "met" : "missed")
                   : "");
  }
  std::fflush(stdout);
}

// ---- JSON: names are ours and hold nothing to escape -----------------------

namespace {

std::string Json(const Outcome& outcome, const Series& series) {
  return fmt::format(
      R"({{"name": "{}", "median": {:.6g}, "seconds": [{:.6g}]}})", series.name,
      outcome.InUnit(series), fmt::join(series.seconds, ", "));
}

std::string JsonMark(const Outcome& outcome) {
  if (outcome.mark) {
    return fmt::format(R"("mark": {:.4f}, "met": {}, )", *outcome.mark,
                       outcome.Ratio() >= *outcome.mark);
  }
  if (outcome.mark_beyond_ms) {
    return fmt::format(
        R"("mark_beyond_ms": {}, "beyond_ms": {:.3f}, "met": {}, )",
        *outcome.mark_beyond_ms, outcome.BeyondMs(),
        outcome.BeyondMs() < *outcome.mark_beyond_ms);
  }
  return {};
}

std::string Json(const Outcome& outcome) {
  std::vector<std::string> limits;
  for (const Series& limit : outcome.limits) {
    limits.push_back(Json(outcome, limit));
  }
  return fmt::format(
      R"({{"name": "{}", "unit": "{}", "work": {}, "ratio": {:.4f}, {}
    "ours": {},
    "limits": [
      {}]}})",
      outcome.name, Name(outcome.unit), outcome.work, outcome.Ratio(),
      JsonMark(outcome), Json(outcome, outcome.ours),
      fmt::join(limits, ",\n      "));
}

std::string Json(const Counts& counts) {
  std::vector<std::string> lines;
  for (const Count& count : counts.counts) {
    lines.push_back(fmt::format(
        R"({{"name": "{}", "value": {:.12g}{}}})", count.name, count.value,
        count.limit ? fmt::format(R"(, "limit": {:.12g})", *count.limit) : ""));
  }
  return fmt::format(R"({{"name": "{}", "counts": [
      {}]}})",
                     counts.name, fmt::join(lines, ",\n      "));
}

}  // namespace

std::string Json(const Report& report) {
  std::vector<std::string> cases;
  for (const Outcome& outcome : report.outcomes) cases.push_back(Json(outcome));
  std::vector<std::string> counts;
  for (const Counts& of : report.counts) counts.push_back(Json(of));
  return fmt::format(
      "{{\"rounds\": {}, \"cases\": [\n  {}],\n \"counted\": [\n  {}]}}\n",
      report.rounds, fmt::join(cases, ",\n  "), fmt::join(counts, ",\n  "));
}

// ---- picture --------------------------------------------------------------

namespace {

// Pixels. Bars of more than kMostShare of the limit are cut.
constexpr int kRow = 20;
constexpr int kHead = 28;
constexpr int kNameWidth = 290;
constexpr int kFull = 400;  // of a bar as long as the limit
constexpr double kMostShare = 1.25;
constexpr int kWidth = kNameWidth + 500 + 220;

double Place(double share) {
  return kNameWidth + std::min(share, kMostShare) * kFull;
}

std::string SvgLine(double x, double top, double bottom, const char* kind) {
  return fmt::format(
      R"(<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>)"
      "\n",
      kind, x, x, top, bottom);
}

std::string SvgText(double x, double y, const char* anchor,
                    const std::string& text) {
  return fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)"
                     "\n",
                     x, y, anchor, text);
}

std::string SvgRow(const Outcome& outcome, int top) {
  const double ratio = outcome.Ratio();
  std::string row = SvgText(kNameWidth - 8, top + 14, "end", outcome.name);
  row += fmt::format(
      R"(<rect class="ours" x="{}" y="{}" width="{:.1f}" height="{}"/>)"
      "\n",
      kNameWidth, top + 4, Place(ratio) - kNameWidth, kRow - 8);
  if (outcome.mark) {
    row += SvgLine(Place(*outcome.mark), top + 1, top + kRow - 1, "mark");
  }
  const std::string mark = outcome.Mark();
  return row + SvgText(Place(kMostShare) + 8, top + 14, "start",
                       fmt::format("{:.2f}{}{}", ratio,
                                   mark.empty() ? "" : ", mark ", mark));
}

}  // namespace

std::string Svg(const Report& report) {
  const int bottom = kHead + kRow * static_cast<int>(report.outcomes.size());
  // Colours that stand out from white and from black alike.
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">
<style>
text {{ font: 12px sans-serif; fill: #24292f; }}
.ours {{ fill: #3b82c4; }}
.limit {{ stroke: #888888; stroke-width: 2; }}
.mark {{ stroke: #d9730d; stroke-width: 3; }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #d7dce2; }} }}
</style>
)",
      kWidth, bottom + 8);
  svg += SvgText(Place(1.0), 14, "middle", "limit of this machine");
  for (size_t i = 0; i < report.outcomes.size(); ++i) {
    svg += SvgRow(report.outcomes[i], kHead + kRow * static_cast<int>(i));
  }
  return svg + SvgLine(Place(1.0), kHead - 8, bottom, "limit") + "</svg>\n";
}

Status WriteFile(const std::filesystem::path& path,
                 const std::string& content) {
  std::ofstream out(path);
  out << content;
  out.close();
  if (out.good()) return Status::Ok();
  return {StatusCode::kIoError, fmt::format("{}: cannot write", path.native())};
}

}  // namespace strata::bench
