"""Float for every layer is the model as it was: equal to the byte, and so are its outputs.

Usage: test_identity.py ENCODE_DRIVER MODEL...

For real models, each given with its evaluation.npz beside it where there is one; test structures are covered by
structure_table.py, which compares the whole models. A model is written with `float` everywhere, parsed again, and run by
ONNX Runtime at its lowest and highest optimization level on the samples.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime


def outputs(path, level, feed):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})


def feeds(model, count=2):
    data = os.path.join(os.path.dirname(model), "evaluation.npz")
    if not os.path.exists(data):
        return []
    samples = np.load(data, allow_pickle=False)
    inputs = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).get_inputs()
    result = []
    for sample in range(count):
        feed = {}
        for i in inputs:
            array = samples[i.name][sample] if i.name in samples else None
            if array is None:
                return []
            feed[i.name] = np.asarray(array[None] if array.ndim + 1 == len(i.shape) else array)
        result.append(feed)
    return result


def check(driver, model):
    with tempfile.TemporaryDirectory() as folder:
        written = os.path.join(folder, "written.onnx")
        subprocess.run([driver, model, "float", "float", written, folder], check=True, stdout=subprocess.DEVNULL)
        assert onnx.load(written) == onnx.load(model), "the models differ"
        compared = 0
        for feed in feeds(model):
            for level in (0, 99):
                for before, after in zip(outputs(model, level, feed), outputs(written, level, feed)):
                    np.testing.assert_array_equal(after, before)
                    compared += 1
    print(f"{model}: the same model, {compared} outputs compared")


def main():
    driver, *models = sys.argv[1:]
    for model in models:
        check(os.path.abspath(driver), model)


if __name__ == "__main__":
    main()
