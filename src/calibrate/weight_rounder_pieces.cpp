#include <algorithm>
#include <utility>

#include "calibrate/weight_rounder.h"
#include "graph/pieces.h"
#include "graph/run_index.h"
#include "runtime/piece_pass.h"

// Rounding along with a forward pass that never has the whole network in memory.

namespace mpq::calibrate {

namespace {

/// Whether the piece is fed with all of these values or computes them.
bool holds(const graph::RunForm& form, const graph::Piece& piece, const std::vector<std::string>& values) {
  return std::all_of(values.begin(), values.end(), [&](const std::string& name) {
    const int producer = form.index->value(form.index->find(name)).producer;
    return std::find(piece.inputs.begin(), piece.inputs.end(), name) != piece.inputs.end() ||
           std::binary_search(piece.nodes.begin(), piece.nodes.end(), producer);
  });
}

}  // namespace

WeightRounder::Networks WeightRounder::round_by_pieces(const std::vector<RoundingRequest>& requests,
                                                       std::vector<Job>& jobs, quant::ScaleFit fit,
                                                       bool data_free) const {
  Networks networks{RoundedNetwork(RoundedNetwork::Integers::kNowhere),
                    RoundedNetwork(RoundedNetwork::Integers::kOnDisk)};
  std::vector<std::string> wanted;
  for (const ValueInfo& output : model_.outputs()) wanted.push_back(output.name);
  std::vector<const Feed*> feeds;
  for (std::size_t i = 0; i < samples_.size(); ++i) feeds.push_back(&samples_[i]);
  const auto pieces = graph::pieces_of(form_, wanted, memory_.piece_bytes);
  runtime::PiecePass pass(form_, pieces, std::move(feeds),
                          {.threads = threads_, .crossing_bytes = memory_.crossing_bytes / 2}, observer_);
  Jobs open;
  for (Job& job : jobs) open.push_back(&job);
  for (; !pass.done(); pass.advance()) {
    Jobs rest;
    while (!open.empty()) {  // as many at a time as their statistics fit
      Jobs batch;
      std::vector<const InputUse*> uses;
      std::int64_t bytes = 0;
      for (Job* job : std::exchange(open, {})) {
        std::vector<const InputUse*> own;
        for (const InputUse& use : job->inputs.uses) own.push_back(&use);
        const std::int64_t more = statistics_bytes(job->inputs.view);
        if (!holds(form_, pieces[pass.next()], activations_of(own))) {
          rest.push_back(job);
        } else if (!batch.empty() && bytes + more > statistics_limit()) {
          open.push_back(job);
        } else {
          batch.push_back(job);
          bytes += more;
          uses.insert(uses.end(), own.begin(), own.end());
        }
      }
      if (batch.empty()) break;
      progress(jobs, jobs.size() - open.size() - rest.size() - batch.size());
      const runtime::PieceValues values(pass, activations_of(uses));
      collect(batch, [&](std::size_t sample) { return values.of(sample); });
      round_jobs(requests, batch, fit, data_free, networks);
    }
    open = std::move(rest);
  }
  return networks;
}

}  // namespace mpq::calibrate
