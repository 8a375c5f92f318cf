// Writes a model with given candidates and tells what it did, for the Python tests beside it.
//   encode_driver MODEL CANDIDATE[,CANDIDATE...] float|int8 OUT DUMP
// The candidates go to the quantizable layers in turn; "3.5bit/rows" gives the rows of a layer widths around that mean,
// in no order, where it has rows, and else one width. DUMP/<layer index>.f32 receives the floats the layer's numbers
// stand for, DUMP/<layer index>.decoded those that mpq reads back from the written file. Lines on stdout: layer INDEX
// NAME CANDIDATE RUN_FORM REASON, skipped NAME REASON, bytes WRITTEN EXACT BOUND; fields are separated by tabs.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "mpq/error.h"
#include "mpq/quantize.h"
#include "mpq/weights.h"

#include "encode/encode.h"
#include "encode/plan_check.h"
#include "quantize/grid.h"

namespace {

using mpq::Candidate;
using mpq::Layer;

bool fits(const Layer& layer, const Candidate& candidate) {
  if (candidate.block == 0) return true;
  if (layer.block_axis < 0) return false;
  return layer.shape[static_cast<std::size_t>(layer.block_axis)] % candidate.block == 0;
}

std::vector<Candidate> parse_list(const std::string& text) {
  std::vector<Candidate> result;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) result.push_back(mpq::parse_candidate(part));
  return result;
}

/// Two to four kinds of widths from one below the mean on, mixed like cards.
Candidate with_rows(const mpq::Model& model, const Layer& layer, const Candidate& asked) {
  if (!mpq::encode::rows_may_differ(layer, model.opset())) return {asked.bits, "grid", 0};
  const auto rows = static_cast<std::size_t>(mpq::quant::scale_layout(layer, {asked.bits, "grid", 0}).scale_count());
  const std::size_t kinds = std::min<std::size_t>(rows, 2 + rows % 3);
  const std::vector<int> widths = {asked.bits - 1, asked.bits + 1, asked.bits, asked.bits + 2};
  std::vector<std::uint8_t> row_bits;
  for (std::size_t r = 0; r < rows; ++r) row_bits.push_back(static_cast<std::uint8_t>(widths[r * (r + 3) / 2 % kinds]));
  row_bits.back() = static_cast<std::uint8_t>(row_bits.front() == widths[0] ? widths[1] : widths[0]);
  return mpq::row_candidate(row_bits);
}

mpq::Plan plan_for(const mpq::Model& model, const std::vector<Candidate>& candidates) {
  mpq::Plan plan;
  plan.budget = "test";
  std::size_t next = 0;
  for (const Layer& layer : model.layers()) {
    if (!layer.quantizable()) continue;
    Candidate candidate = candidates[next++ % candidates.size()];
    if (!fits(layer, candidate)) candidate.block = 0;
    if (candidate.has_row_widths()) candidate = with_rows(model, layer, candidate);
    mpq::PlanEntry entry;
    entry.layer = layer.name;
    entry.candidate = candidate;
    entry.parameters = layer.parameters;
    plan.entries.push_back(entry);
  }
  return plan;
}

void dump(const std::string& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
}

/// What the size table promises for the plan: base, fixed part and the layers' own bytes.
std::int64_t bound(const mpq::Model& model, const mpq::Plan& plan, mpq::encode::RunForm run_form) {
  std::vector<std::vector<Candidate>> candidates;
  for (const mpq::PlanEntry& entry : plan.entries) candidates.push_back({entry.candidate});
  const mpq::encode::SizeTable table = mpq::encode::size_table(model, candidates, run_form, plan.portable);
  std::int64_t bytes = table.facts.base_bytes;
  bool changed = false;
  for (std::size_t i = 0; i < table.file_bytes.size(); ++i) {
    bytes += table.file_bytes[i][0];
    changed = changed || plan.entries[i].candidate.form != "float";
  }
  if (!changed) return bytes;
  for (const mpq::FunctionSize& function : table.facts.functions) bytes += function.bytes;
  return bytes + table.facts.fixed_bytes;
}

void run(const std::vector<std::string>& arguments) {
  const mpq::Model model = mpq::Model::load(arguments[0]);
  mpq::Plan plan = plan_for(model, parse_list(arguments[1]));
  plan.portable = arguments.size() == 6;
  mpq::QuantizeOptions options;
  options.compute = arguments[2];
  const mpq::QuantizedModel result = mpq::quantize(model, plan, options);
  result.save(arguments[3]);
  const std::vector<mpq::StoredWeight> decoded = mpq::stored_weights(mpq::Model::load(arguments[3]));
  std::size_t entry = 0, next = 0;
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const Layer& layer = model.layers()[i];
    if (!layer.quantizable()) {
      std::cout << "skipped\t" << layer.name << '\t' << layer.skip_reason << '\n';
      continue;
    }
    const mpq::WrittenLayer& written = result.layers()[entry];
    const Candidate candidate = plan.entries[entry++].candidate;
    dump(arguments[4] + "/" + std::to_string(i) + ".f32", mpq::quant::stored_values(model.weight(i), layer, candidate));
    if (next < decoded.size() && !mpq::encode::leaves_unchanged(layer, candidate)) {
      const auto values = decoded[next++].value.as<float>();
      dump(arguments[4] + "/" + std::to_string(i) + ".decoded", {values.begin(), values.end()});
    }
    std::cout << "layer\t" << i << '\t' << layer.name << '\t' << mpq::to_string(candidate) << '\t' << written.run_form
              << '\t' << written.reason << '\n';
  }
  const auto run_form = options.compute == "int8" ? mpq::encode::RunForm::kInteger : mpq::encode::RunForm::kFloat;
  std::cout << "bytes\t" << result.bytes() << '\t' << mpq::encode::exact_file_bytes(model, plan, run_form) << '\t'
            << bound(model, plan, run_form) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool portable = arguments.size() == 6 && arguments[5] == "portable";
  if (arguments.size() != 5 && !portable) {
    std::cerr << "usage: encode_driver MODEL CANDIDATES float|int8 OUT DUMP [portable]\n";
    return 2;
  }
  try {
    run(arguments);
  } catch (const mpq::Error& error) {
    std::cerr << error.where() << ": " << error.what() << ' ' << error.hint() << '\n';
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
