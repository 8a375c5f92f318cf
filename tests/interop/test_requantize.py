"""Models that ONNX Runtime's own quantizer wrote, taken back to floats by `mpq quantize --requantize`: judged by the
float model with the weights that ONNX's reference evaluator reads from the quantized one.

Usage: test_requantize.py MPQ DIGITS_FOLDER [unittest arguments]
"""

import logging
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from sessions import session

logging.disable(logging.WARNING)
TOOL = DIGITS = None
RELU6 = """<ir_version: 8, opset_import: ["" : 17]>
g (float[n,3,8,8] x) => (float[n,10] y) <float[8,3,3,3] a, float[8] ab, float[8,8,1,1] b, float[8,10] c, float low = {0}, float high = {6}> {
  p = Conv<pads = [1, 1, 1, 1]>(x, a, ab)
  q = Clip(p, low, high)
  r = Conv(q, b)
  s = Add(r, q)
  t = Relu(s)
  u = GlobalAveragePool(t)
  v = Flatten(u)
  y = MatMul(v, c)
}"""


def relu6_network():
    """A convolution whose inputs go over 6, a skip connection and a product; and samples for it."""
    model, rng = onnx.parser.parse_model(RELU6), np.random.default_rng(3)
    declared = {info.name: tuple(d.dim_value for d in info.type.tensor_type.shape.dim) for info in model.graph.value_info}
    for name, shape in declared.items():
        model.graph.initializer.append(numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name))
    return model, {"x": rng.normal(size=(24, 3, 8, 8)).astype(np.float32)}


def digits():
    model = onnx.load(os.path.join(DIGITS, "model.onnx"))
    data = np.load(os.path.join(DIGITS, "calibration.npz"))
    return model, {model.graph.input[0].name: data[data.files[0]]}


class Samples(CalibrationDataReader):
    def __init__(self, data):
        count = len(next(iter(data.values())))
        self.rows = iter([{name: values[i : i + 1] for name, values in data.items()} for i in range(count)])

    def get_next(self):
        return next(self.rows, None)


def dequantized_weights(quantized):
    """Weights by the name they had, as ONNX's reference evaluator reads them."""
    constants = {t.name: t for t in quantized.graph.initializer}
    found = {}
    for node in quantized.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            node.domain = ""
            one = onnx.helper.make_graph([node], "g", [], [onnx.ValueInfoProto(name=node.output[0])],
                                         [constants[name] for name in node.input])
            model = onnx.helper.make_model(one, opset_imports=[onnx.helper.make_opsetid("", 21)])
            found[node.input[0].removesuffix("_quantized")] = ReferenceEvaluator(model).run(None, {})[0]
    return found


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)


class RequantizeTest(InFolder):
    def tool(self, *words):
        return subprocess.run([TOOL, *words], capture_output=True, text=True)

    def quantized(self, model, data, **options):
        onnx.save(model, self.path("float.onnx"))
        quantize_static(self.path("float.onnx"), self.path("qdq.onnx"), Samples(data), quant_format=QuantFormat.QDQ, **options)
        return onnx.load(self.path("qdq.onnx"))

    def check(self, model, data, **options):
        weights = dequantized_weights(self.quantized(model, data, **options))
        self.assertGreater(len(weights), 2)
        expected = onnx.ModelProto()
        expected.CopyFrom(model)
        for tensor in expected.graph.initializer:
            if tensor.name in weights:
                tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name], tensor.name))
        done = self.tool("quantize", self.path("qdq.onnx"), "--requantize", "--budget", "1GB", "--keep", "*", "-q", "--force",
                         "-o", self.path("out.onnx"))
        self.assertEqual(done.returncode, 0, done.stderr)
        written = onnx.load(self.path("out.onnx"))
        onnx.checker.check_model(written)
        self.assertFalse([n.op_type for n in written.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear", "Identity")])
        for level in (0, 99):
            found, wanted = (session(m, level).run(None, data)[0] for m in (written, expected))
            # The largest value of the calibration may lie half a step of its scale beyond what an integer holds.
            self.assertLess(np.sum((found - wanted) ** 2) / np.sum(wanted ** 2), 1e-6)

    def test_an_activation_function_that_the_quantizer_dropped_is_back(self):
        for per_channel in (False, True):
            for kind in (QuantType.QUInt8, QuantType.QInt8):
                with self.subTest(per_channel=per_channel, kind=kind):
                    model, data = relu6_network()
                    self.check(model, data, per_channel=per_channel, activation_type=kind, weight_type=QuantType.QInt8)
                    dropped = {node.op_type for node in onnx.load(self.path("qdq.onnx")).graph.node}
                    self.assertNotIn("Clip", dropped)
                    self.assertNotIn("Relu", dropped)

    def test_types_of_the_runtimes_own_domain(self):
        model, data = relu6_network()
        self.check(model, data, activation_type=QuantType.QUInt16, weight_type=QuantType.QInt16,
                   extra_options={"UseQDQContribOps": True})

    def test_a_trained_network(self):
        model, data = digits()
        self.check(model, data, per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)

    def test_without_it_the_tool_says_what_helps(self):
        model, data = relu6_network()
        self.quantized(model, data)
        done = self.tool("quantize", self.path("qdq.onnx"), "--budget", "6bit")
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("--requantize", done.stderr)

    def test_analysis_and_inspection_see_the_same_layers(self):
        model, data = relu6_network()
        self.quantized(model, data)
        done = self.tool("inspect", self.path("qdq.onnx"), "--requantize")
        self.assertIn("Conv", done.stdout)
        self.assertNotIn("DequantizeLinear", done.stdout)
        done = self.tool("analyze", self.path("qdq.onnx"), "--requantize", "--effort", "1", "-o", self.path("s.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.tool("quantize", self.path("qdq.onnx"), "--requantize", "--scores", self.path("s.json"), "--budget", "6bit",
                         "-o", self.path("out.onnx"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--requantize", done.stdout.split("Next", 1)[-1])


if __name__ == "__main__":
    TOOL, DIGITS = sys.argv.pop(1), sys.argv.pop(1)
    unittest.main()
