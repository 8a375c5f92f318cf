"""Models whose operators compute on integers (QLinearConv, MatMulInteger, DynamicQuantizeLSTM, MatMulNBits, ...), most of
them written by ONNX Runtime's own quantizers, taken back to floats by `mpq quantize --requantize`: judged by the float model with the
weights that NumPy reads from the quantized one, or by ONNX Runtime's run of the quantized one.

Usage: test_integer_operators.py MPQ [unittest arguments]
"""

import logging
import os
import subprocess
import sys
import unittest

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

from sessions import session
from test_requantize import InFolder, Samples

logging.disable(logging.WARNING)
TOOL = None
IMAGES = """<ir_version: 8, opset_import: ["" : 13]>
g (float[n,4,8,8] x) => (float[n,10] y) <float[8,4,3,3] a, float[8] ab, float[8,8,1,1] b, float[24,10] c, float[10] cb> {
  p = Conv<pads = [1, 1, 1, 1]>(x, a, ab)
  q = Relu(p)
  r = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(q)
  s = Conv(r, b)
  t = Mul(s, r)
  u = Add(s, r)
  v = Concat<axis = 1>(s, t, u)
  w = Sigmoid(v)
  k = AveragePool<kernel_shape = [2, 2], strides = [2, 2]>(w)
  l = GlobalAveragePool(k)
  m = Flatten(l)
  y = Gemm(m, c, cb)
}"""
WORDS = """<ir_version: 8, opset_import: ["" : 13]>
g (int64[16,2] x) => (float[16,2,12] y) <float[40,24] table, float[1,64,24] iw, float[1,64,16] ir, float[16,32] a, float[32,12] b, float[12] bb> {
  e = Gather(table, x)
  h, last = LSTM<hidden_size = 16>(e, iw, ir)
  s = Squeeze(h, one)
  p = MatMul(s, a)
  q = Relu(p)
  r = MatMul(q, b)
  y = Add(r, bb)
}"""


def network(text, **more):
    model, rng = onnx.parser.parse_model(text), np.random.default_rng(5)
    declared = {info.name: tuple(d.dim_value for d in info.type.tensor_type.shape.dim) for info in model.graph.value_info}
    numbers = {name: (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32) for name, shape in declared.items()}
    for name, values in {**numbers, **more}.items():
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    return model


def images():
    return network(IMAGES), {"x": np.random.default_rng(6).normal(size=(24, 4, 8, 8)).astype(np.float32)}


def words():
    return network(WORDS, one=np.array([1], np.int64)), {"x": np.random.default_rng(6).integers(0, 40, size=(16, 2))}


def packed_product(bits, inputs, outputs, block, has_zeros, has_bias):
    """A MatMulNBits of random integers, packed as its specification says, in front of a product of floats."""
    rng, blocks = np.random.default_rng(7), -(-inputs // block)

    def packed(integers):
        rows = integers.reshape(len(integers), -1)
        planes = (rows[..., None] >> np.arange(bits) & 1).reshape(len(rows), -1)
        return np.packbits(planes.astype(np.uint8), axis=-1, bitorder="little")

    weights = packed(rng.integers(0, 2**bits, size=(outputs, blocks * block))).reshape(outputs, blocks, -1)
    tensors = {"w": weights, "s": rng.uniform(0.01, 0.1, size=outputs * blocks).astype(np.float32)}
    if has_zeros:
        tensors["z"] = packed(rng.integers(0, 2**bits, size=(outputs, blocks))).reshape(-1)
    if has_bias:
        tensors["b"] = rng.normal(size=outputs).astype(np.float32)
    names = ["x", "w", "s", "z" if has_zeros else "", "", "b" if has_bias else ""]
    nodes = [onnx.helper.make_node("MatMulNBits", names, ["h"], domain="com.microsoft", K=inputs, N=outputs, bits=bits, block_size=block),
             onnx.helper.make_node("MatMul", ["h", "v"], ["y"])]
    tensors["v"] = rng.normal(size=(outputs, 12)).astype(np.float32)
    one = onnx.helper.make_graph(nodes, "g", [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [3, inputs])],
                                 [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [3, 12])],
                                 [numpy_helper.from_array(values, name) for name, values in tensors.items()])
    domains = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    return onnx.helper.make_model(one, opset_imports=domains, ir_version=8)


def floats_of(quantized):
    """Weights by the name they had: integers, scale and zero point stand beside each other as NAME_quantized, ..."""
    found = {t.name: numpy_helper.to_array(t) for t in quantized.graph.initializer}
    weights = {}
    for name, integers in found.items():
        stem = name.removesuffix("_quantized")
        if name == stem or stem + "_scale" not in found:  # a bias lies on the grid of the products
            continue
        scale, zero = found[stem + "_scale"].astype(np.float32), found.get(stem + "_zero_point", np.zeros(1)).astype(np.float32)
        if scale.size > 1 and integers.ndim == 4:
            scale, zero = (part.reshape(-1, 1, 1, 1) for part in (scale, zero))
        elif scale.size == 1:
            scale, zero = scale.reshape(()), zero.reshape(())
        weights[stem] = (integers.astype(np.float32) - zero) * scale
    return weights


def relative(found, wanted):
    return np.sum((found - wanted) ** 2) / np.sum(wanted**2)


class IntegerOperatorsTest(InFolder):
    def taken_back(self, name, left=()):
        command = ["quantize", self.path(name), "--requantize", "--budget", "1GB", "--keep", "*", "-q", "--force", "--effort", "1"]
        done = subprocess.run([TOOL, *command, "-o", self.path("out.onnx")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        written = onnx.load(self.path("out.onnx"))
        onnx.checker.check_model(written)
        marks = ("Q", "Integer", "NBits", "Cast")
        self.assertEqual({n.op_type for n in written.graph.node if any(mark in n.op_type for mark in marks)}, set(left))
        return written

    def check(self, model, data, quantized, bound=1e-10):
        expected = onnx.ModelProto()
        expected.CopyFrom(model)
        weights = floats_of(quantized)
        self.assertGreater(len(weights), 2)
        for tensor in expected.graph.initializer:
            if tensor.name in weights:
                values = weights[tensor.name]
                shape = numpy_helper.to_array(tensor).shape
                # The quantizer stores an LSTM's weights transposed.
                values = values if values.shape == shape else values.transpose(0, 2, 1)
                tensor.CopyFrom(numpy_helper.from_array(values.reshape(shape), tensor.name))
        written = self.taken_back("quantized.onnx")
        for level in (0, 99):
            found, wanted = (session(m, level).run(None, data)[0] for m in (written, expected))
            self.assertLess(relative(found, wanted), bound)
        return written

    def dynamic(self, model, **options):
        onnx.save(model, self.path("float.onnx"))
        quantize_dynamic(self.path("float.onnx"), self.path("quantized.onnx"), **options)
        return onnx.load(self.path("quantized.onnx"))

    def test_activations_rounded_at_every_run(self):
        for per_channel in (False, True):
            with self.subTest(per_channel=per_channel):
                model, data = words()
                kind = QuantType.QInt8 if per_channel else QuantType.QUInt8
                quantized = self.dynamic(model, per_channel=per_channel, weight_type=kind)
                kinds = {n.op_type for n in quantized.graph.node}
                self.assertLessEqual({"DynamicQuantizeLSTM", "MatMulInteger"}, kinds)
                if not per_channel:
                    self.check(model, data, quantized)
                else:
                    # A row of a scale for each of the table's columns, and LSTM weights read as [1, inputs, 4 units].
                    weights = floats_of(quantized)
                    written = self.taken_back("quantized.onnx")
                    stored = {t.name: numpy_helper.to_array(t) for t in written.graph.initializer}
                    for name in ("a", "b"):
                        np.testing.assert_array_equal(stored[name], weights[name])

    def test_convolutions_rounded_at_every_run(self):
        model, data = images()
        quantized = self.dynamic(model)
        self.assertIn("ConvInteger", {n.op_type for n in quantized.graph.node})
        written = self.check(model, data, quantized)
        self.assertNotIn("DynamicQuantizeLinear", {n.op_type for n in written.graph.node})

    def test_what_the_runtime_fused_when_it_saved_an_optimized_model(self):
        model, data = words()
        quantized = self.dynamic(model)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = self.path("fused.onnx")
        onnxruntime.InferenceSession(self.path("quantized.onnx"), options, providers=["CPUExecutionProvider"])
        fused = {n.op_type for n in onnx.load(self.path("fused.onnx")).graph.node}
        self.assertTrue(fused & {"DynamicQuantizeMatMul", "MatMulIntegerToFloat"}, fused)
        wanted = self.check(model, data, quantized)
        found = self.taken_back("fused.onnx")
        found, wanted = (session(m, 99).run(None, data)[0] for m in (found, wanted))
        self.assertLess(relative(found, wanted), 1e-10)

    def test_full_integer_networks(self):
        model, data = images()
        for per_channel in (False, True):
            with self.subTest(per_channel=per_channel):
                onnx.save(model, self.path("float.onnx"))
                quantize_static(self.path("float.onnx"), self.path("quantized.onnx"), Samples(data), per_channel=per_channel,
                                quant_format=QuantFormat.QOperator, weight_type=QuantType.QInt8)
                quantized = onnx.load(self.path("quantized.onnx"))
                kinds = {n.op_type for n in quantized.graph.node}
                self.assertLessEqual({"QLinearConv", "QLinearAdd", "QLinearMul", "QLinearConcat", "QGemm", "MaxPool"}, kinds)
                # Biases are rounded, too, and the largest value of the calibration may lie half a step beyond what fits.
                self.check(model, data, quantized, bound=1e-5)

    def test_weights_of_few_bits_in_blocks(self):
        for bits, inputs, has_zeros, has_bias in ((4, 96, True, False), (4, 128, False, True), (8, 96, True, True), (2, 96, True, False)):
            with self.subTest(bits=bits, inputs=inputs, has_zeros=has_zeros, has_bias=has_bias):
                model = packed_product(bits, inputs, 20, 32, has_zeros, has_bias)
                onnx.save(model, self.path("quantized.onnx"))
                written = self.taken_back("quantized.onnx")
                data = {"x": np.random.default_rng(8).normal(size=(3, inputs)).astype(np.float32)}
                found, wanted = (session(m, 99).run(None, data)[0] for m in (written, model))
                self.assertLess(relative(found, wanted), 1e-9)

    def test_a_block_that_is_filled_up_stays(self):
        onnx.save(packed_product(4, 80, 20, 32, False, False), self.path("quantized.onnx"))
        self.taken_back("quantized.onnx", left={"MatMulNBits"})

    def test_what_is_not_taken_back_is_named(self):
        onnx.save(packed_product(4, 80, 10, 32, False, False), self.path("quantized.onnx"))
        done = subprocess.run([TOOL, "quantize", self.path("quantized.onnx"), "--requantize", "--budget", "6bit"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 4)
        self.assertIn("MatMulNBits x1", done.stderr)
        self.assertIn("does not take back", done.stderr)

    def test_quantized_anew(self):
        model, data = words()
        quantized = self.dynamic(model)
        for options in (["--compute", "float"], ["--compute", "int8"]):
            done = subprocess.run([TOOL, "quantize", self.path("quantized.onnx"), "--requantize", "--budget", "5bit", "--force", "-q",
                                   *options, "-o", self.path("anew.onnx")], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLess(os.path.getsize(self.path("anew.onnx")), os.path.getsize(self.path("float.onnx")))
            found, wanted = (session(m, 99).run(None, data)[0] for m in (onnx.load(self.path("anew.onnx")), quantized))
            self.assertLess(relative(found, wanted), 0.1)

    def test_without_it_the_tool_says_what_helps(self):
        model, _ = words()
        self.dynamic(model)
        done = subprocess.run([TOOL, "quantize", self.path("quantized.onnx"), "--budget", "5bit"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("--requantize", done.stderr)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
