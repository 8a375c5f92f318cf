// The library as its users would write it.
#include <iostream>

#include "mpq/mpq.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    const mpq::Model model = mpq::Model::load(argv[1]);
    const mpq::Samples data = mpq::Samples::synthetic(model, 4, 1);
    mpq::AnalyzeOptions options;
    options.trials = 2;
    const mpq::Sensitivity scores = mpq::analyze(model, data, options);
    const mpq::Plan plan = mpq::allocate(scores, mpq::Budget::parse("6bit"));
    const mpq::QuantizedModel result = mpq::quantize(model, plan);
    const mpq::Verification figures = mpq::verify(model, result.model(), data);
    std::cout << scores.layers.size() << " layers, " << result.bytes() << " bytes, damage " << figures.damage << "\n";
    return result.bytes() < model.facts().bytes ? 0 : 1;
  } catch (const mpq::Error& error) {
    std::cerr << error.what() << " " << error.hint() << "\n";
    return static_cast<int>(error.code());
  }
}
