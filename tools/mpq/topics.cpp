#include "topics.h"

#include <algorithm>
#include <array>

namespace mpq::cli {
namespace {

constexpr std::array kTopics = {
    Topic{"budgets", "how small, and what is counted",
          "  6bit, 5.5bit              stored bits per quantizable weight, scales and\n"
          "                            padding included\n"
          "  12MB, 12MiB, 900kB, 123B  the whole written file, external data included\n"
          "                            (MB = 10^6, MiB = 2^20)\n"
          "  25%, 4x                   the whole written file, relative to the original\n"
          "  8ms, 500us, 0.5s          one run of the written model, with --profile\n\n"
          "Several --budget write several models from one analysis; a latency, at most one,\n"
          "holds for all of them, and alone leaves the size open. A budget that cannot be\n"
          "met is refused with the feasible range and exit code 5.\n\n"
          "`mpq plan SENSITIVITY --frontier` lists every size there is with its damage.\n"},
    Topic{"data", "samples to measure with and to judge on",
          "  inputs.npz  one array per model input, with a leading sample axis\n"
          "  a folder    of .npy files, of ONNX test_data_set_* or of images\n"
          "              (--image-preset)\n\n"
          "--calibration is what the sensitivities are measured with: 64 real samples or\n"
          "more. --eval is what the result is judged on; without it a held-out fifth\n"
          "of the calibration data. --labels adds the accuracy before and after.\n\n"
          "Without any data mpq makes inputs up by shape and type, and says that such\n"
          "figures prove little.\n"},
    Topic{"forms", "how layers are stored and how they run",
          "  2bit ... 8bit  integers with one scale per output channel, packed\n"
          "  4bit/b32       integers with one scale per 32 weights\n"
          "  3.5bit/rows    output channels in widths of their own, here 3.5 on average\n"
          "  4bit/trellis   2 to 6 bits: twice as many numbers as these bits can name; the\n"
          "                 weights before say which half is open. One scale per channel\n"
          "  half, float    16-bit floats; left as it is\n\n"
          "--forms grid leaves plain integers only, grid,blocks,trellis is the\n"
          "default, and grid,blocks,rows,trellis offers all.\n\n"
          "--compute float folds the weights back to float when the model is loaded: least\n"
          "damage. int8 lets integer kernels run them where there are any. auto takes them\n"
          "where they pay and add little damage.\n\n"
          "--layer 'GLOB=8bit' and --keep 'GLOB' decide for the layers that match.\n"},
    Topic{"gates", "quality gates in CI",
          "  mpq check RECORD --max-bytes 12MB --max-drop 1% --min-sqnr 30dB\n\n"
          "Exit code 6 when a limit is broken. warn:1% reports without failing, off\n"
          "switches a gate off; in a file the limits stand under [check].\n\n"
          "Accuracy and agreement are judged by the pessimistic end of their 95 %\n"
          "interval, so too few samples fail too. A figure that the record does not hold\n"
          "fails its gate.\n"},
    Topic{"exit-codes", "what a script can act on",
          "  0    ok\n"
          "  1    internal error: please report it\n"
          "  2    usage or configuration\n"
          "  3    unreadable or invalid model or data\n"
          "  4    unsupported operator, type or opset\n"
          "  5    budget infeasible; the message holds the feasible range\n"
          "  6    a quality gate failed (mpq check)\n"
          "  7    an output cannot be written\n"
          "  130  interrupted; the analysis done so far is kept\n\n"
          "With several models the code is that of the first that failed.\n"},
};

}  // namespace

std::span<const Topic> topic_table() { return kTopics; }

const Topic* find_topic(const std::string& name) {
  const auto found =
      std::find_if(kTopics.begin(), kTopics.end(), [&](const Topic& topic) { return name == topic.name; });
  return found == kTopics.end() ? nullptr : &*found;
}

std::string topic_help(const Topic& topic) {
  return std::string("mpq help ") + topic.name + ": " + topic.summary + "\n\n" + topic.text;
}

}  // namespace mpq::cli
