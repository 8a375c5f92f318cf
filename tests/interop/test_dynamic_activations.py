"""Products of many rows on integers that are made as they come: written by mpq, judged by the graph stock ONNX Runtime
makes of them and by NumPy, from the specification of DynamicQuantizeLinear and the weights that mpq unpacks.

Usage: test_dynamic_activations.py MPQ [unittest arguments]
"""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sessions import WIDEST, session

TOOL = None
SAMPLES, INPUTS = 16, 128
FUSED = {"DynamicQuantizeMatMul", "MatMulIntegerToFloat"}
WEIGHTS = {"first": (INPUTS, 64), "second": (64, 64), "third": (64, 64)}


def two_readers(opset, between="Tanh"):
    """x -> first -> Tanh -> second and third, which read the same -> their difference."""
    rng = np.random.default_rng(7)
    tensors = [numpy_helper.from_array((rng.normal(size=s) / np.sqrt(s[0])).astype(np.float32), f"{n}.w") for n, s in WEIGHTS.items()]
    nodes = [helper.make_node("MatMul", ["x", "first.w"], ["a"], name="first"),
             helper.make_node(between, ["a"], ["r"], name="between"),
             helper.make_node("MatMul", ["r", "second.w"], ["b"], name="second"),
             helper.make_node("MatMul", ["r", "third.w"], ["c"], name="third"),
             helper.make_node("Sub", ["b", "c"], ["y"], name="sub")]
    graph = helper.make_graph(nodes, "products", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", "rows", INPUTS])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "rows", 64])], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def divided(model, value):
    """What mpq multiplies a value with to equalize its channels; 1 where it leaves it as it is."""
    return next((numpy_helper.to_array(t).astype(np.float32) for t in model.graph.initializer if t.name == f"{value}_shrink"), np.float32(1))


def rounded(x):
    """DynamicQuantizeLinear and back: 255 steps from the least to the largest number, 0 among them."""
    low, high = min(x.min(), np.float32(0)), max(x.max(), np.float32(0))
    scale = np.float32((high - low) / np.float32(255))
    zero = np.clip(np.round(-low / scale), 0, 255)
    return (np.clip(np.round(x / scale) + zero, 0, 255) - zero) * scale


class DynamicActivationsTest(unittest.TestCase):
    OPSETS = (13, 17, 21)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_tool(self, *words):
        done = subprocess.run([TOOL, *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def written(self, rows, *options, opset=17, between="Tanh", outlier=None, channels=slice(0, 1)):
        """The written model and the samples it was made with."""
        source, target, data = (os.path.join(self.folder, f) for f in ("float.onnx", "written.onnx", "inputs.npz"))
        onnx.save(two_readers(opset, between), source)
        inputs = np.random.default_rng(8).normal(size=(SAMPLES, 1, rows, INPUTS)).astype(np.float32)
        if outlier is not None:
            inputs[:, :, 0, channels] = outlier
        np.savez(data, x=inputs)
        self.report = self.run_tool("quantize", source, "--calibration", data, "--rounding", "nearest", "--force", "-q", "-o", target, *options)
        return onnx.load(target), inputs

    def operators(self, model):
        path = os.path.join(self.folder, "optimized.onnx")
        session(model, dump=path)
        return [node.op_type for node in onnx.load(path).graph.node]

    def weights(self):
        folder = os.path.join(self.folder, "weights")
        self.run_tool("inspect", os.path.join(self.folder, "written.onnx"), "--dump-weights", folder, "--force")
        return [np.load(os.path.join(folder, f"{name}.w.npy")) for name in WEIGHTS]

    def check_numbers(self, model, inputs, activation=np.tanh):
        first, second, third = self.weights()
        for level in (0, 1, 2, 99):
            runner = session(model, level)
            for x in inputs[:4]:
                r = rounded(activation(rounded(x * divided(model, "x")) @ first) * divided(model, "r"))
                expected, found = r @ second - r @ third, runner.run(None, {"x": x})[0]
                # A number in the middle between two steps may fall to either side.
                error = np.sum((expected - found) ** 2) / np.sum(expected ** 2)
                self.assertLess(error, 2e-4, f"level {level}")

    def test_every_stored_width_lands_on_the_dynamic_kernels(self):
        for opset in self.OPSETS:
            for bits in range(2, 9):
                with self.subTest(opset=opset, bits=bits):
                    model, inputs = self.written(24, "--compute", "int8", "--budget", "16bit", "--layer", f"*={bits}bit", opset=opset)
                    operators = self.operators(model)
                    self.assertEqual(sum(op in FUSED for op in operators), 3, operators)
                    for left in ("MatMul", "MatMulNBits", "DequantizeLinear"):
                        self.assertNotIn(left, operators)
                    if bits <= WIDEST:
                        self.check_numbers(model, inputs)

    def test_readers_of_one_value_share_its_rounding(self):
        model, _ = self.written(24, "--compute", "int8", "--budget", "8.5bit", "--layer", "*=8bit")
        self.assertEqual(sum(node.op_type == "Round8bitDynamic" for node in model.graph.node), 2)

    def test_trellises_land_there_too(self):
        model, inputs = self.written(24, "--compute", "int8", "--budget", "16bit", "--layer", "*=2bit/trellis",
                                     "--forms", "grid,trellis")
        self.assertEqual(sum(op in FUSED for op in self.operators(model)), 3)
        if WIDEST == 8:  # as the entries are
            self.check_numbers(model, inputs)

    def test_a_relu_between_two_products_does_not_keep_the_first_from_fusing(self):
        """ONNX Runtime 1.32 fuses no product whose Relu feeds the next one, unless something stands between the two."""
        model, inputs = self.written(24, "--compute", "int8", "--budget", "8.5bit", "--layer", f"*={WIDEST}bit", between="Relu")
        operators = self.operators(model)
        self.assertEqual(sum(op in FUSED for op in operators), 3, operators)
        self.assertNotIn("DequantizeLinear", operators)
        self.check_numbers(model, inputs, lambda x: np.maximum(x, 0))

    def test_few_rows_keep_float_activations(self):
        model, _ = self.written(4, "--compute", "int8", "--budget", "8.5bit", "--layer", "*=8bit")
        operators = self.operators(model)
        self.assertEqual(operators.count("MatMulNBits"), 3, operators)

    def test_blocks_keep_float_activations(self):
        model, _ = self.written(24, "--compute", "int8", "--budget", "16bit", "--layer", "*=8bit", "--layer", "first=4bit/b64", opset=21)
        operators = self.operators(model)
        self.assertEqual((operators.count("MatMulNBits"), sum(op in FUSED for op in operators)), (1, 2), operators)

    def test_float_arithmetic_rounds_no_activation(self):
        model, _ = self.written(24, "--compute", "float", "--budget", "8.5bit", "--layer", "*=8bit")
        self.assertFalse([node for node in model.graph.node if node.op_type == "Round8bitDynamic"])

    def test_auto_leaves_out_the_input_that_costs_most(self):
        """A row far outside takes the range of x away from all other rows; the input behind Tanh has none."""
        model, _ = self.written(24, "--compute", "auto", "--budget", "5.5bit", "--layer", "*=5bit", outlier=600, channels=slice(None))
        operators = self.operators(model)
        self.assertEqual(sum(op in FUSED for op in operators), 2, operators)

    def test_a_channel_with_outliers_is_equalized(self):
        """One far outlier would take the range of x away from all its other numbers; its channel is divided, its weights multiplied."""
        model, inputs = self.written(24, "--compute", "auto", "--budget", "5.5bit", "--layer", "*=5bit", outlier=60)
        self.assertEqual(sum(op in FUSED for op in self.operators(model)), 3)
        self.assertIn("int8 activations, equalized", " ".join(self.report.split()))
        shrink = divided(model, "x")
        self.assertLess(shrink[0], .6 * np.median(shrink))
        self.check_numbers(model, inputs)
        self.assertLess(self.input_error(inputs, shrink), .5 * self.input_error(inputs, np.float32(1)))

    def input_error(self, inputs, factors):
        """Of x rounded behind the factors, at the output of the first product."""
        first = numpy_helper.to_array(onnx.load(os.path.join(self.folder, "float.onnx")).graph.initializer[0])
        return sum(np.sum(((rounded(x * factors) / factors - x) @ first) ** 2) for x in inputs)

    def test_sentinels_among_the_inputs_keep_floats(self):
        model, _ = self.written(24, "--compute", "int8", "--budget", "8.5bit", "--layer", "*=8bit", outlier=np.finfo(np.float32).min / 1e6)
        operators = self.operators(model)
        self.assertEqual((operators.count("MatMulNBits"), sum(op in FUSED for op in operators)), (1, 2), operators)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
