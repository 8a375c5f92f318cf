#!/usr/bin/env python3
"""Run time of what mpq writes beside the float model and ONNX Runtime's own quantizers: one command, all forms of a model
interleaved in one run, ratios to float at one and two threads, file bytes, load time and damage.

    bench/runtime/runtime.py --mpq build/dev/bin/mpq --work /tmp/bench-runtime [--models GLOB] [--widths 3,4,6,8] [--json F]

Needs Python with numpy, onnx and onnxruntime (scripts/bootstrap makes one for the tests).
"""

import argparse
import fnmatch
import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime import quantization as ortq

import shapes

ROOT = pathlib.Path(__file__).resolve().parents[2]
FETCHED = ROOT / "models" / "fetched"
ort.set_default_logger_severity(4)


def feeds_of(path, data, count):
    """The first samples of an .npz, each as a feed of the model."""
    ranks = {i.name: len(i.shape) for i in session(path, 1).get_inputs()}
    arrays = np.load(data)
    result = []
    for i in range(min(count, len(arrays[next(iter(ranks))]))):
        result.append({name: arrays[name][i] if arrays[name].ndim > rank else arrays[name][i:i + 1]
                       for name, rank in ranks.items()})
    return result


def session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Reader(ortq.CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def prepared(path, work):
    """As ONNX Runtime's own guide says: shapes inferred and basic optimizations before its quantizers."""
    target = work / "prepared.onnx"
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(target)
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return target


def rivals(path, feeds, work, kinds):
    """ONNX Runtime's own quantizers; one that fails is left out and named."""
    source = prepared(path, work)

    def static(target):
        ortq.quantize_static(source, target, Reader(feeds), per_channel=True, activation_type=ortq.QuantType.QUInt8,
                             weight_type=ortq.QuantType.QInt8)

    def dynamic(target):
        ortq.quantize_dynamic(source, target, weight_type=ortq.QuantType.QInt8, per_channel=True)

    def nbits(target):
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
        quantizer = MatMulNBitsQuantizer(onnx.load(source), bits=4, block_size=128, is_symmetric=True, accuracy_level=4)
        quantizer.process()
        quantizer.model.save_model_to_file(str(target))

    makers = {"ort static": static, "ort dynamic": dynamic, "ort nbits4": nbits}
    result = {}
    for name in kinds:
        target = work / (name.replace(" ", "_") + ".onnx")
        try:
            makers[name](target)
            session(target, 1)
            result[name] = target
        except Exception as error:  # its quantizers refuse some models
            print(f"  {name}: {type(error).__name__}: {str(error).splitlines()[0][:100]}")
    return result


def written(tool, path, calibration, work, widths, computes, extra):
    result = {}
    for compute in computes:
        for bits in widths:
            target = work / f"mpq_{compute}_{bits}.onnx"
            command = [tool, "quantize", path, "--budget", f"{bits + 1}bit", "--bits", str(bits), "--uniform",
                       "--compute", compute, "--engine", "adjoint", "--probes", "1", "--samples", "16", "--effort", "1",
                       "--calibration", calibration, *extra, "--force", "-q", "-o", target]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
            if done.returncode == 0:
                result[f"mpq {compute} {bits}bit"] = target
            else:
                print(f"  mpq {compute} {bits}bit: {done.stderr.strip().splitlines()[0][:200]}")
    return result


def damage(reference, candidate, feeds):
    """Relative squared error over all float outputs, the worst of them."""
    worst = 0
    runs = [(reference.run(None, feed), candidate.run(None, feed)) for feed in feeds]
    for index in range(len(runs[0][0])):
        error = sum(float(np.square(a[index].astype(np.float64) - b[index]).sum()) for a, b in runs)
        energy = sum(float(np.square(a[index].astype(np.float64)).sum()) for a, _ in runs)
        worst = max(worst, error / max(energy, 1e-30))
    return worst


def interleaved(files, feeds, threads, seconds):
    """Median over rounds of each form's time over float's in the same round."""
    sessions = {name: session(path, threads) for name, path in files.items()}
    for runner in sessions.values():
        for feed in feeds[:2]:
            runner.run(None, feed)
    ratios, floats, begin, round_ = {name: [] for name in sessions}, [], time.perf_counter(), 0
    while round_ < 12 or time.perf_counter() - begin < seconds:
        feed, spent = feeds[round_ % len(feeds)], {}
        for name, runner in sessions.items():
            start = time.perf_counter()
            runner.run(None, feed)
            spent[name] = time.perf_counter() - start
        for name, value in spent.items():
            ratios[name].append(value / spent["float"])
        floats.append(spent["float"])
        round_ += 1
    return {name: statistics.median(values) for name, values in ratios.items()}, 1000 * statistics.median(floats)


def load_ms(path):
    times = []
    for _ in range(3):
        start = time.perf_counter()
        session(path, 1)
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def models(work, pattern):
    for name in ("efficientnet_lite0", "minilm", "ppocr_det", "ppocr_rec", "ppocr_cls"):
        folder = FETCHED / name
        if fnmatch.fnmatch(name, pattern) and (folder / "model.onnx").exists():
            yield name, folder / "model.onnx", folder / "calibration.npz", folder / "evaluation.npz"
    for name, make in shapes.SHAPES.items():
        if not fnmatch.fnmatch(name, pattern):
            continue
        folder = work / name
        folder.mkdir(parents=True, exist_ok=True)
        model = make()
        onnx.save(model, folder / "model.onnx")
        np.savez(folder / "calibration.npz", x=shapes.inputs(model, 16, 1))
        np.savez(folder / "evaluation.npz", x=shapes.inputs(model, 8, 2))
        yield name, folder / "model.onnx", folder / "calibration.npz", folder / "evaluation.npz"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mpq", default=str(ROOT / "build" / "dev" / "bin" / "mpq"))
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--models", default="*")
    parser.add_argument("--widths", default="3,4,6,8")
    parser.add_argument("--compute", default="int8")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    widths = [int(bits) for bits in arguments.widths.split(",")]
    record = {"onnxruntime": ort.__version__, "cores": os.cpu_count(), "models": {}}
    for name, path, calibration, evaluation in models(arguments.work, arguments.models):
        work = arguments.work / name
        work.mkdir(parents=True, exist_ok=True)
        print(f"## {name}\n")
        convolutional = any(n.op_type == "Conv" for n in onnx.load(path, load_external_data=False).graph.node)
        # Random weights have no accuracy to keep: they are only rounded, which takes seconds instead of minutes.
        extra = ["--rounding", "nearest"] if name in shapes.SHAPES else []
        kinds = ("ort static", "ort dynamic") if convolutional else ("ort static", "ort dynamic", "ort nbits4")
        files = {"float": path} | rivals(path, feeds_of(path, calibration, 32), work, kinds)
        files |= written(arguments.mpq, path, calibration, work, widths, arguments.compute.split(","), extra)
        feeds = feeds_of(path, evaluation, 8)
        times = {threads: interleaved(files, feeds, threads, arguments.seconds) for threads in (1, 2)}
        reference = session(path, 1)
        print(f"float: {times[1][1]:.2f} ms with 1 thread, {times[2][1]:.2f} ms with 2\n")
        print("| form | bytes | time / float, 1 thread | 2 threads | load ms | relative squared error |")
        print("|---|---|---|---|---|---|")
        rows = {}
        for form, file in files.items():
            row = {"bytes": file.stat().st_size, "ratio_1": times[1][0][form], "ratio_2": times[2][0][form],
                   "load_ms": load_ms(file), "damage": damage(reference, session(file, 1), feeds)}
            rows[form] = row
            print(f"| {form} | {row['bytes']:,} | {row['ratio_1']:.2f} | {row['ratio_2']:.2f} | {row['load_ms']:.0f} | "
                  f"{row['damage']:.2e} |", flush=True)
        print()
        record["models"][name] = rows
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
