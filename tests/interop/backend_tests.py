"""ONNX's own node and model tests, each with what it is fed turned into weights: quantized within tolerance, or left alone.

    backend_tests.py --driver ENCODE_DRIVER [--width 8bit]

For every node, simple, light and PyTorch test of the package onnx (onnx.backend.test): its floating inputs of two or more axes, except
the first input, become initializers, so that operators have weights where they can. mpq writes the model at one width.
Where it quantized something, the original with the decoded weights must give the same outputs under ONNX Runtime, or the
reference evaluator where that has no kernel. Ends with 1 when mpq crashes, or an output differs.
"""

import argparse
import collections
import os
import re
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from stored_form import stored_weights
from structure_table import Failure, command, compare

FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator", "light")
REFUSED = (3, 4)  # exit codes with a reason


def loaded(case):
    """The model of a test and what its first data set feeds."""
    if case.model is not None:  # a node test, which the package makes in memory
        model = onnx.ModelProto()
        model.CopyFrom(case.model)
        return model, case.data_sets[0][0]
    model = onnx.load(os.path.join(case.model_dir, "model.onnx"))
    inputs = []
    for i in range(len(model.graph.input)):
        path = os.path.join(case.model_dir, "test_data_set_0", f"input_{i}.pb")
        tensor = onnx.TensorProto()
        if os.path.exists(path) and model.graph.input[i].type.HasField("tensor_type"):
            with open(path, "rb") as file:
                tensor.ParseFromString(file.read())
            inputs.append(numpy_helper.to_array(tensor))
        else:
            inputs.append(None)
    return model, inputs


def with_weights(model, inputs):
    """The feed of the model when its other inputs are baked in; none where inputs are no tensors."""
    feed, given = {}, {tensor.name for tensor in model.graph.initializer}
    for i, (value, array) in enumerate(zip(list(model.graph.input), inputs)):
        if value.name in given:
            continue
        if not value.type.HasField("tensor_type") or not isinstance(array, np.ndarray):
            return None
        if i > 0 and value.type.tensor_type.elem_type in FLOATS and array.ndim >= 2:
            model.graph.initializer.append(numpy_helper.from_array(array, value.name))
            model.graph.input.remove(value)
        else:
            feed[value.name] = array
    return feed


def run(model, feed):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def check(case, driver, width, folder):
    """One word for what became of the test; throws Failure."""
    model, inputs = loaded(case)
    feed = with_weights(model, inputs)
    source, written_path = os.path.join(folder, "model.onnx"), os.path.join(folder, "written.onnx")
    onnx.save(model, source)
    code, out, error = command(driver, source, width, "float", written_path, folder)
    if code in REFUSED and error.strip():
        sentence = error.strip().split(": ", 1)[-1].split(".")[0].split(";")[0]
        return "refused: " + re.sub(r"'[^']*' is an? \w+", "... is no plain tensor", sentence)
    if code != 0:
        raise Failure(f"mpq ends with {code}: {error.strip()[:200]}")
    written = onnx.load(written_path)
    stored = stored_weights(written)
    if not stored:
        if written != model:
            raise Failure("nothing is quantized, and the model changed")
        return "left: a weight has a reason" if "skipped\t" in out else "left: no weight"
    if feed is None:
        return "quantized, not run: inputs are no tensors"
    for weight in stored:
        tensor = next(t for t in model.graph.initializer if t.name == weight.name)
        value = weight.value.astype(numpy_helper.to_array(tensor).dtype)
        tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    try:
        expected = run(model, feed)
    except Exception:  # the package raises a class per status
        return "quantized, not run: ONNX Runtime does not run the original"
    for name, actual, wanted in zip([o.name for o in model.graph.output], run(written, feed), expected):
        compare(actual, wanted, 1e-5, name)
    return "quantized, same outputs as with the decoded weights"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--width", default="8bit")
    options = parser.parse_args()
    cases = [case for kind in KINDS for case in load_model_tests(kind=kind)]
    outcomes, failures = collections.Counter(), []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes[check(case, os.path.abspath(options.driver), options.width, folder)] += 1
            except Failure as failure:
                failures.append(f"{case.name}: {failure}")
    print(f"{len(cases)} tests at {options.width}\n\n| outcome | tests |\n|---|---|")
    for outcome, count in sorted(outcomes.items(), key=lambda item: (-item[1], item[0])):
        print(f"| {outcome} | {count} |")
    print(f"| failed | {len(failures)} |")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
