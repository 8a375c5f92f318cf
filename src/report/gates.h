#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mpq/check.h"

namespace mpq::report {

/// What a gate looks at, and where its verdicts go.
struct Judge {
  const RunRecord& record;
  const RunRecord* baseline;
  std::vector<GateResult> results;

  void add(const Gate& gate, bool holds, const std::string& subject, const std::string& limit, const std::string& found,
           const std::string& hint);
  /// The record does not hold the figure.
  void not_measured(const Gate& gate, const std::string& what, const std::string& hint);
};

void judge_bytes(Judge& judge, const Gate& gate);
void judge_drop(Judge& judge, const Gate& gate);
void judge_sqnr(Judge& judge, const Gate& gate);
void judge_agreement(Judge& judge, const Gate& gate);
void judge_bits(Judge& judge, const Gate& gate);
void judge_regression(Judge& judge, const Gate& gate);

/// Throws Error{kUsage} when the gate's limit cannot be meant.
void check_limit(const Gate& gate);

/// Upper end of the 95 % interval of an accuracy drop on paired samples: Bonett and Price, "Adjusted Wald confidence
/// interval for a difference of binomial proportions based on paired data", J. Educ. Behav. Stat. 37 (2012).
/// `discordant` is the share of samples on which the two models may disagree about being right.
double pessimistic_drop(double drop, double discordant, double samples);

}  // namespace mpq::report
