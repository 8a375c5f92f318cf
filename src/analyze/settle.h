#pragma once

#include <span>
#include <vector>

namespace mpq::perturb {

/// Damages of one layer over its trials, one row per candidate (Sensitivity's "float" excluded).
using DamageTable = std::vector<std::vector<double>>;

/// The stopping rule of adaptive trials. A pair of layers is decided when the 95 % interval (Student's t) of the mean
/// of their paired differences over common trials (common random numbers: trial k feeds both the same sample)
///   - excludes zero: their order is known, or
///   - lies within 25 % of the larger of the two means: their order does not matter to an allocation.
/// The ranking is settled when at least 95 % of the pairs that are adjacent in it are decided.
/// `rows[i]`: the i-th layer's damages at the reference width, by trial. Never settled on fewer than two trials.
bool ranking_settled(const std::vector<std::span<const double>>& rows);

/// True when every candidate's mean is known to a relative standard error below 5 %: more trials would not help.
bool precise(const DamageTable& damages);

/// Spearman correlation of the layer ranking by the even trials with that by the odd ones; 0 when a half is empty.
double rank_stability(const std::vector<std::span<const double>>& rows);

}  // namespace mpq::perturb
