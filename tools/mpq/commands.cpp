#include "commands.h"

#include <algorithm>

namespace mpq::cli {
namespace {

const std::vector<Command>& table() {
  static const std::vector<Command> commands = {
      {"quantize",
       kQuantize,
       {"MODEL"},
       "analyze, plan, quantize and verify, in one go",
       "mpq quantize model.onnx --budget 6bit\n"
       "mpq quantize model.onnx --budget 4bit --calibration inputs.npz --eval test.npz --labels labels.npy\n"
       "mpq quantize model.onnx --budget 12MB --budget 25% --calibration inputs.npz\n"
       "mpq quantize model.onnx --budget 6bit --keep '*lm_head*' --layer 'conv1=8bit' --dry-run\n"
       "mpq quantize *.onnx --budget 6bit --output-dir out --json-lines --cache .mpq-cache",
       "Measures how much each layer's weights matter, gives every layer the width it needs within the budget, writes "
       "one "
       "ONNX model of standard operators (model.mpq-6bit.onnx beside the input) and compares it with the original on "
       "samples "
       "that had no part in its making. Ctrl-C keeps the analysis done so far; the same command takes it up again. "
       "Several models, or --output-dir: one after the other, a failing one does not stop the others, and the exit "
       "code "
       "is that of the first that failed.",
       run_quantize,
       true},
      {"inspect",
       kInspect,
       {"MODEL"},
       "layers, weights, bytes; what can be quantized, and why not",
       "mpq inspect model.onnx\n"
       "mpq inspect model.onnx --json\n"
       "mpq inspect model.mpq-6bit.onnx --dump-weights weights\n"
       "mpq inspect model.mpq-6bit.onnx --kernels --float model.onnx --data inputs.npz",
       "Lists every weight of the model with its operator, shape and bytes, the reason where one cannot be quantized, "
       "the "
       "model's inputs and outputs, and what stock runtimes let pass silently. A model that mpq wrote shows its plan. "
       "With --kernels it is run, and the kernel that ONNX Runtime gave each layer is shown with its time: integer, "
       "folded to float when the model was loaded, or dequantized at every run.",
       run_inspect},
      {"analyze",
       kAnalyze,
       {"MODEL"},
       "measure the sensitivity of every layer",
       "mpq analyze model.onnx --calibration inputs.npz\n"
       "mpq analyze model.onnx --calibration inputs.npz --effort 5 -o model.sensitivity.json\n"
       "mpq analyze model.onnx --engine noise --noise gaussian --trials 8\n"
       "mpq analyze model.onnx --calibration inputs.npz --shard 1/4",
       "Perturbs the weights of each layer a number of times, measures how much the outputs move, and writes a score "
       "with "
       "its standard error for every layer and width: MODEL.sensitivity.json. Planning from it takes milliseconds.",
       run_analyze},
      {"merge",
       kMerge,
       {"PART"},
       "join the parts of a divided analysis",
       "mpq merge model.onnx.*-of-4.sensitivity.json -o model.sensitivity.json",
       "Joins what `mpq analyze --shard 1/N` to `--shard N/N` wrote, on as many machines, into the record that one run "
       "would have written: PART without -K-of-N. Every part is needed, of the same model, samples and options.",
       run_merge,
       true},
      {"plan",
       kPlan,
       {"SENSITIVITY"},
       "choose the widths for a budget, from an analysis",
       "mpq plan model.onnx.sensitivity.json --budget 6bit\n"
       "mpq plan model.onnx.sensitivity.json --frontier\n"
       "mpq plan model.onnx.sensitivity.json --budget 4bit --what-if 'conv1=8bit'",
       "Finds the plan of least predicted damage within the budget, exactly. Takes a *.sensitivity.json or a run "
       "record. "
       "The plan is written only with -o; `mpq quantize MODEL --plan FILE` makes the model from it.",
       run_plan},
      {"profile",
       kProfile,
       {"MODEL"},
       "measure a network on several processors, segment by segment",
       "mpq profile model.onnx --devices cpu:0,cpu:1\n"
       "mpq profile model.onnx --devices cpu:0,cpu:1,openvino:cpu@1 --data inputs.npz -o model.profile.json\n"
       "mpq profile model.onnx --devices cpu:0-3,cuda:0 --precisions float32,int8",
       "Cuts the network into segments and times every segment on every processor at every precision, alone and joined "
       "with the next, and the transfers between processors. One file holds it all: model.profile.json for model.onnx. "
       "A processor is "
       "cpu:CORES (0, 0-3, 0+2), openvino:cpu@CORES, webgpu or cuda:N; one that is not there is listed with the "
       "reason. "
       "Ctrl-C keeps what is measured so far; the same command takes it up again.",
       run_profile},
      {"run",
       kRun,
       {"MODEL"},
       "run a network over several processors, as its profile says",
       "mpq run model.onnx --profile model.profile.json --task async --inputs test.npz --requests 200\n"
       "mpq run model.onnx --profile model.profile.json --task sync --inputs test.npz --explain\n"
       "mpq run model.onnx --profile model.profile.json --task async --latency-limit 20ms --html run.html -o "
       "outputs.npz",
       "Places the network's segments on the profiled processors, runs the requests and shows what was predicted "
       "beside "
       "what was measured. An asynchronous task gets the placement of greatest throughput: replicas, a pipeline, or "
       "both; a synchronous one that of least latency, with a bound that no placement can beat. When a processor fails "
       "during the run its part moves to another.",
       run_run},
      {"verify",
       kVerify,
       {"REFERENCE", "QUANTIZED"},
       "compare two models on data",
       "mpq verify model.onnx model.mpq-6bit.onnx --data test.npz\n"
       "mpq verify model.onnx other-tool.onnx --data test.npz --labels labels.npy --json",
       "Runs both models on every sample and compares their outputs: SQNR, relative squared error, cosine, and where "
       "the "
       "output is a distribution KL and top-1 agreement. Works on any pair of models with the same inputs, by whatever "
       "tool.",
       run_verify},
      {"report",
       kReport,
       {"RECORD"},
       "show a run, an analysis or a plan again",
       "mpq report model.run.json\n"
       "mpq report model.run.json --format html -o report.html\n"
       "mpq report model.run.json --format md >> summary.md\n"
       "mpq report model.onnx.sensitivity.json --format csv -o layers.csv",
       "Renders any record mpq wrote: a table; JSON; CSV with one row per layer and candidate; Markdown for the "
       "summary "
       "of a CI job; one self-contained HTML page with charts, the frontier and a what-if; JUnit XML of what holds of "
       "every good run.",
       run_report},
      {"diff",
       kDiff,
       {"BEFORE", "AFTER"},
       "compare two records: layers, bits, scores, bytes, accuracy",
       "mpq diff old.run.json new.run.json\n"
       "mpq diff old.run.json new.run.json --format md >> summary.md",
       "Compares two records of any kind: layers added, gone or changed, their widths, bytes and sensitivities, file "
       "sizes, damage and accuracy, and whether a difference goes beyond the standard errors. The exit code is 0 "
       "whatever they say; `mpq check --max-regression` judges.",
       run_diff},
      {"check",
       kCheck,
       {"RECORD"},
       "quality gates for CI over a run record",
       "mpq check model.run.json --max-bytes 12MB --max-drop 1%\n"
       "mpq check model.run.json --min-sqnr 30dB --min-bits '*head*=8' --format github --junit gates.xml\n"
       "mpq check new.run.json --max-regression warn:5% --baseline old.run.json --format md >> summary.md",
       "Compares a run with limits and exits with 6 when one is broken. Every limit may be written as warn:LIMIT, "
       "which "
       "is reported but does not fail, or as off; in a configuration file they stand under [check]. Accuracy and "
       "agreement are judged by the pessimistic end of their 95 % interval: too few samples fail a gate too. A figure "
       "that the record does not hold fails its gate.",
       run_check},
      {"completion",
       kCompletion,
       {"SHELL"},
       "completions for bash, zsh or fish",
       "mpq completion bash > /etc/bash_completion.d/mpq\n"
       "mpq completion zsh > ~/.zfunc/_mpq\n"
       "mpq completion fish > ~/.config/fish/completions/mpq.fish",
       "Prints the completions of one shell, made from the same table as this help.",
       run_completion},
      {"man",
       kMan,
       {"PAGE"},
       "manual pages",
       "mpq man quantize | man -l -\n"
       "mpq man budgets > mpq-budgets.7\n"
       "mpq man list",
       "Prints the manual page of mpq, of a command or of a topic, made from the same tables as this help; `list` "
       "prints the names of their files. `cmake --install` installs them all.",
       run_man},
  };
  return commands;
}

}  // namespace

std::span<const Command> command_table() { return table(); }

const Command* find_command(const std::string& name) {
  const auto found = std::find_if(table().begin(), table().end(), [&](const Command& c) { return name == c.name; });
  return found == table().end() ? nullptr : &*found;
}

}  // namespace mpq::cli
