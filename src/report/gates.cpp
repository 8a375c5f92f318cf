#include "report/gates.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "mpq/error.h"

#include "report/numbers.h"
#include "support/text.h"

namespace mpq::report {
namespace {

constexpr double kZ95 = 1.959964;  ///< two-sided 95 % of the normal law

[[noreturn]] void refuse(const Gate& gate, const std::string& example) {
  throw Error(ErrorCode::kUsage, fmt::format("\"{}\" is no limit here.", gate.limit), "--" + gate.name,
              fmt::format("For example --{} {}, or warn:{} to be warned only, or off.", gate.name, example, example));
}

double number_before(const Gate& gate, const std::string& unit, double least, double most, const std::string& example) {
  std::string text = gate.limit;
  if (!unit.empty() && text.ends_with(unit)) text.erase(text.size() - unit.size());
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !std::isfinite(value) || value < least || value > most) refuse(gate, example);
  return value;
}

/// A share: "0.5%" is 0.005.
double share(const Gate& gate, const std::string& example) {
  if (!gate.limit.ends_with("%")) refuse(gate, example);
  return number_before(gate, "%", 0, 100, example) / 100;
}

double decibels(const Gate& gate) { return number_before(gate, "dB", -300, 300, "30dB"); }

struct BitsDemand {
  std::string glob;
  int bits = 0;
};

BitsDemand bits_demand(const Gate& gate) {
  const std::size_t equals = gate.limit.rfind('=');
  if (equals == std::string::npos || equals == 0) refuse(gate, "'*head*=8'");
  Gate number = gate;
  number.limit = gate.limit.substr(equals + 1);
  return {gate.limit.substr(0, equals), static_cast<int>(number_before(number, "bit", 1, 32, "'*head*=8'"))};
}

Budget byte_limit(const Gate& gate) {
  Budget budget;
  try {
    budget = Budget::parse(gate.limit);
  } catch (const Error&) {
    refuse(gate, "12MB");
  }
  if (budget.unit == Budget::Unit::kBitsPerWeight || budget.limits_time()) refuse(gate, "12MB");
  return budget;
}

double bytes_of(const Budget& budget, std::int64_t original) {
  if (budget.unit == Budget::Unit::kBytes) return budget.value;
  const auto whole = static_cast<double>(original);
  return budget.unit == Budget::Unit::kPercent ? whole * budget.value / 100 : whole / budget.value;
}

std::optional<std::int64_t> file_bytes(const RunRecord& record) {
  if (record.output) return record.output->bytes;
  if (record.plan) return record.plan->file_bytes;
  return std::nullopt;
}

std::string percent_text(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

const char* kMeasureHint = "Measure it: `mpq quantize --eval DATA --report-json FILE` or `mpq verify`.";

/// Share of samples whose most likely class changed: an upper bound of the discordant pairs.
std::optional<double> changed_answers(const Verification& v) {
  for (const OutputComparison& output : v.outputs) {
    if (output.top1_agreement) return 1 - *output.top1_agreement;
  }
  return std::nullopt;
}

}  // namespace

void Judge::add(const Gate& gate, bool holds, const std::string& subject, const std::string& limit,
                const std::string& found, const std::string& hint) {
  const auto otherwise =
      gate.severity == Gate::Severity::kWarn ? GateResult::Verdict::kWarned : GateResult::Verdict::kFailed;
  results.push_back(
      {holds ? GateResult::Verdict::kPassed : otherwise, gate.name, subject, limit, found, holds ? "" : hint});
}

void Judge::not_measured(const Gate& gate, const std::string& what, const std::string& hint) {
  add(gate, false, "", gate.limit, "the record holds no " + what, hint);
}

double pessimistic_drop(double drop, double discordant, double samples) {
  const double pairs = std::max(discordant, std::abs(drop)) * samples;
  const double lost = ((pairs + drop * samples) / 2 + 1) / (samples + 2);
  const double won = ((pairs - drop * samples) / 2 + 1) / (samples + 2);
  const double difference = lost - won;
  return difference + kZ95 * std::sqrt((lost + won - difference * difference) / (samples + 2));
}

void judge_bytes(Judge& judge, const Gate& gate) {
  const auto bytes = file_bytes(judge.record);
  if (!bytes) return judge.not_measured(gate, "file size", "Check the record of a quantize run.");
  const auto limit = static_cast<std::int64_t>(bytes_of(byte_limit(gate), judge.record.model.bytes));
  judge.add(gate, *bytes <= limit, "", fmt::format("at most {} bytes", format_count(limit)),
            format_count(*bytes) + " bytes", fmt::format("Give the file as the budget: --budget {}", gate.limit));
}

void judge_drop(Judge& judge, const Gate& gate) {
  const double limit = share(gate, "0.5%");
  if (!judge.record.verification) return judge.not_measured(gate, "measured accuracy", kMeasureHint);
  const Verification& v = *judge.record.verification;
  const std::string at_most = "at most " + percent_text(limit);
  if (v.accuracy && v.accuracy->samples > 0) {
    const AccuracyComparison& a = *v.accuracy;
    const double drop = a.reference - a.quantized;
    const double worst =
        pessimistic_drop(drop, changed_answers(v).value_or(1 - a.quantized), static_cast<double>(a.samples));
    judge.add(gate, worst <= limit, "accuracy", at_most + " lost",
              fmt::format("{} lost, up to {} within the 95 % interval of {}", percent_text(drop), percent_text(worst),
                          counted(a.samples, "sample")),
              drop <= limit ? "The drop itself is small enough, but the samples are too few to prove it; give more."
                            : "Raise the budget, or keep the most sensitive layers with --keep.");
    return;
  }
  for (const OutputComparison& output : v.outputs) {
    if (!output.top1_low) continue;
    const double worst = 1 - *output.top1_low;
    judge.add(gate, worst <= limit, output.name, at_most + " of the answers changed",
              fmt::format("up to {} within the 95 % interval of {}", percent_text(worst), counted(output.rows, "row")),
              "Raise the budget, or give more samples or --labels to narrow the interval.");
    return;
  }
  judge.not_measured(gate, "accuracy and no output with classes", "Give --labels, or use --min-sqnr.");
}

void judge_sqnr(Judge& judge, const Gate& gate) {
  const double limit = decibels(gate);
  if (!judge.record.verification) return judge.not_measured(gate, "measured outputs", kMeasureHint);
  for (const OutputComparison& output : judge.record.verification->outputs) {
    judge.add(gate, output.sqnr_db >= limit, output.name, fmt::format("at least {:g} dB", limit),
              fmt::format("{:.1f} dB", output.sqnr_db),
              "Raise the budget, or keep the most sensitive layers with --keep.");
  }
}

void judge_agreement(Judge& judge, const Gate& gate) {
  const double limit = share(gate, "99%");
  bool found = false;
  if (judge.record.verification) {
    for (const OutputComparison& output : judge.record.verification->outputs) {
      if (!output.top1_low || !output.top1_agreement) continue;
      found = true;
      judge.add(gate, *output.top1_low >= limit, output.name, "at least " + percent_text(limit),
                fmt::format("{}, down to {} within the 95 % interval of {}", percent_text(*output.top1_agreement),
                            percent_text(*output.top1_low), counted(output.rows, "row")),
                *output.top1_agreement >= limit
                    ? "The agreement itself is high enough, but the samples are too few to prove it; give more."
                    : "Raise the budget, or keep the most sensitive layers with --keep.");
    }
  }
  if (!found) judge.not_measured(gate, "output with classes", "Use --min-sqnr for other outputs.");
}

void judge_bits(Judge& judge, const Gate& gate) {
  const BitsDemand demand = bits_demand(gate);
  if (!judge.record.plan) return judge.not_measured(gate, "plan", "Check the record of a quantize run.");
  std::size_t matched = 0;
  std::vector<std::string> names;
  const PlanEntry* least = nullptr;
  for (const PlanEntry& entry : judge.record.plan->entries) {
    names.push_back(entry.layer);
    if (!glob_match(demand.glob, entry.layer)) continue;
    ++matched;
    if (least == nullptr || entry.candidate.narrowest() < least->candidate.narrowest()) least = &entry;
  }
  if (least == nullptr) {
    const auto near = nearest(demand.glob, names);
    throw Error(ErrorCode::kUsage, fmt::format("\"{}\" matches no layer of the plan.", demand.glob), "--min-bits",
                near.empty() ? "`mpq report RECORD` lists them." : "Near names: " + join(near, ", "));
  }
  judge.add(gate, least->candidate.narrowest() >= demand.bits, demand.glob,
            fmt::format("at least {} bits", demand.bits),
            fmt::format("{} in {} of {}", to_string(least->candidate), least->layer,
                        counted(static_cast<std::int64_t>(matched), "layer")),
            fmt::format("Ask for it: --layer '{}={}bit'", demand.glob, demand.bits));
}

void judge_regression(Judge& judge, const Gate& gate) {
  const double limit = share(gate, "5%");
  if (judge.baseline == nullptr) {
    throw Error(ErrorCode::kUsage, "A regression is against something.", "--max-regression",
                "Give the older run record with --baseline.");
  }
  const RunRecord& old = *judge.baseline;
  const auto now_bytes = file_bytes(judge.record), old_bytes = file_bytes(old);
  const std::string allowed = fmt::format("at most {} more", percent_text(limit));
  if (now_bytes && old_bytes) {
    const double most = static_cast<double>(*old_bytes) * (1 + limit);
    judge.add(gate, static_cast<double>(*now_bytes) <= most, "bytes", allowed,
              fmt::format("{} bytes before, {} now", format_count(*old_bytes), format_count(*now_bytes)),
              "`mpq diff` shows which layers grew.");
  }
  if (!judge.record.verification || !old.verification)
    return judge.not_measured(gate, "measured damage in both", kMeasureHint);
  const Verification &now = *judge.record.verification, &before = *old.verification;
  if (now.metric != before.metric)
    return judge.not_measured(gate, "damage in the baseline's metric", "Measure both with one --metric.");
  // On the same samples two measurements differ by the models alone; on other ones sampling noise comes on top.
  const bool same_samples = !now.data.sha256.empty() && now.data.sha256 == before.data.sha256;
  const double margin = same_samples ? 0 : kZ95 * std::hypot(now.damage_standard_error, before.damage_standard_error);
  judge.add(gate, now.damage + margin <= before.damage * (1 + limit), "damage", allowed,
            fmt::format("{} before, {} now{}", short_number(before.damage), short_number(now.damage),
                        same_samples ? " on the same samples" : ", up to " + short_number(now.damage + margin)),
            "`mpq diff` shows which layers changed.");
}

void check_limit(const Gate& gate) {
  if (gate.name == "max-bytes") byte_limit(gate);
  if (gate.name == "max-drop") share(gate, "0.5%");
  if (gate.name == "min-sqnr") decibels(gate);
  if (gate.name == "min-top1-agreement") share(gate, "99%");
  if (gate.name == "min-bits") bits_demand(gate);
  if (gate.name == "max-regression") share(gate, "5%");
}

}  // namespace mpq::report
