"""Every width in every structure at many opsets: written by mpq, read by NumPy, run by stock ONNX Runtime.

Usage: test_encode.py ENCODE_DRIVER [unittest arguments]
"""

import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import numpy_helper

from sessions import session
from stored_form import stored_weights
from structures import STRUCTURES, ir_for

DRIVER = None
ROWS = ["3bit/rows", "4bit/rows", "6bit/rows"]
TRELLISES = [f"{bits}bit/trellis" for bits in range(2, 7)]
WIDTHS = ["2bit", "3bit", "4bit", "5bit", "6bit", "7bit", "8bit"]
OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 21, 23, 24, 25, 26)
LEVELS = (0, 1, 2, 99)


class Written:
    """A model as mpq wrote it, with what the driver said about it."""

    def __init__(self, folder, model, candidates, compute):
        source, self.path = os.path.join(folder, "model.onnx"), os.path.join(folder, "written.onnx")
        self.folder = folder
        onnx.save(model, source)
        done = subprocess.run([DRIVER, source, candidates, compute, self.path, folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        self.layers = {int(f[1]): f[2:] for f in lines if f[0] == "layer"}
        self.skipped = [f[1:] for f in lines if f[0] == "skipped"]
        self.bytes, self.exact, self.bound = (int(f) for f in lines[-1][1:])
        self.model = onnx.load(self.path)

    def dumped(self, layer):
        """The floats that mpq itself says the layer's numbers stand for."""
        return np.fromfile(os.path.join(self.folder, f"{layer}.f32"), np.float32)

    def decoded(self, layer):
        """The floats that mpq reads back from the file, before any cast to the layer's own type."""
        return np.fromfile(os.path.join(self.folder, f"{layer}.decoded"), np.float32)


def with_weights(model, weights):
    """The original model with its weights replaced, by the name they had there."""
    result = onnx.ModelProto()
    result.CopyFrom(model)

    def visit(graph):
        for tensor in graph.initializer:
            if tensor.name in weights:
                tensor.CopyFrom(numpy_helper.from_array(weights[tensor.name], tensor.name))
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name == "value" and node.output[0] in weights:
                    attribute.t.CopyFrom(numpy_helper.from_array(weights[node.output[0]], attribute.t.name))
                if attribute.HasField("g"):
                    visit(attribute.g)

    visit(result.graph)
    return result


def exposing(model, names):
    """The model with inner values as further outputs."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return result


class EncodeTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, structure, opset, candidates, compute="float"):
        model, feed = STRUCTURES[structure](opset)
        return model, feed, Written(self.folder.name, model, candidates, compute)

    def check_file(self, model, written, structure):
        """The file is valid, weighs what was promised, and keeps everything but the weights."""
        onnx.checker.check_model(written.model, full_check=True)
        self.assertEqual(written.bytes, os.path.getsize(written.path))
        self.assertEqual(written.exact, written.bytes)
        self.assertLessEqual(written.bytes, written.bound)
        self.assertEqual([o.name for o in written.model.graph.output], [o.name for o in model.graph.output])
        real_inputs = [i for i in model.graph.input if i.name not in {t.name for t in model.graph.initializer}]
        self.assertEqual(list(written.model.graph.input), real_inputs)
        self.assertEqual(written.model.opset_import[0], model.opset_import[0])
        self.assertEqual(written.model.graph.doc_string, model.graph.doc_string)
        metadata = {p.key: p.value for p in written.model.metadata_props}
        self.assertEqual(metadata["author"], "somebody")
        self.assertIn("mpq.plan", metadata)
        self.assertGreaterEqual(len(written.layers), 4 if structure == "if_bodies" else 1)

    def check_numbers(self, written, transposed=False):
        """NumPy's reading of the file and mpq's own dequantization agree bit for bit. `transposed`: the file holds the
        weight the other way round."""
        stored = stored_weights(written.model)
        self.assertEqual(sorted(s.layer for s in stored), sorted(written.layers))
        for weight in stored:
            value = weight.value.T if transposed else weight.value
            np.testing.assert_array_equal(value.astype(np.float32).ravel(), written.dumped(weight.layer))
            np.testing.assert_array_equal(weight.value.ravel(), written.decoded(weight.layer).astype(weight.value.dtype))
        return stored

    def check_runs(self, model, feed, written, stored):
        """Stock ONNX Runtime folds the functions to exactly these weights and computes what they give in the
        original graph, at every optimization level."""
        names = {}
        for weight in stored:
            names.setdefault(weight.name, weight.value)
        reference = with_weights(model, {name.removesuffix("_2"): value for name, value in names.items()})
        probes = [weight.name for weight in stored]
        for level in LEVELS:
            expected = session(reference, level).run(None, feed)
            dump = os.path.join(self.folder.name, "optimized.onnx")
            actual = session(written.model, level, dump).run(None, feed)
            if level == 0 and actual[0].dtype == np.float16:  # unfolded, the runtime drops the cast to half again
                np.testing.assert_allclose(actual[0], expected[0], atol=2e-3)
            else:
                np.testing.assert_array_equal(actual[0], expected[0], f"level {level}")
            if level in (0, 99):
                seen = session(exposing(written.model, probes), level).run(probes, feed)
                for weight, value in zip(stored, seen):
                    np.testing.assert_array_equal(value, weight.value)
            if level > 0:
                left = {n.op_type for n in onnx.load(dump).graph.node}
                self.assertFalse(left & {"BitShift", "BitwiseAnd", "BitwiseOr", "Floor", "Split", "Slice"}, left)

    def check_all(self, structure, opset, candidates):
        with self.subTest(structure=structure, opset=opset, candidates=candidates):
            model, feed, written = self.write(structure, opset, candidates)
            self.check_file(model, written, structure)
            stored = self.check_numbers(written)
            if structure != "if_bodies":
                self.check_runs(model, feed, written, stored)
                return
            self.check_if_bodies(model, feed, written, stored)

    def check_if_bodies(self, model, feed, written, stored):
        """Both bodies use the same names, so each is compared by itself."""
        self.assertEqual(len({weight.name for weight in stored}), 4)
        by_layer = [weight.value for weight in sorted(stored, key=lambda w: w.layer)]
        for choice, attribute in ((True, "then_branch"), (False, "else_branch")):
            own = onnx.ModelProto()
            own.CopyFrom(model)
            bodies = {a.name: a.g for a in own.graph.node[0].attribute}
            position = [a.name for a in own.graph.node[0].attribute].index(attribute)
            first, second = by_layer[2 * position:2 * position + 2]
            shapes = {(32, 40): "inner.weight", (40, 24): "inner.const"}
            weights = {shapes[value.shape]: value for value in (first, second)}
            bodies[attribute].initializer[0].CopyFrom(numpy_helper.from_array(weights["inner.weight"], "inner.weight"))
            bodies[attribute].node[0].attribute[0].t.CopyFrom(numpy_helper.from_array(weights["inner.const"], ""))
            for level in LEVELS:
                feeds = {**feed, "choice": np.array(choice)}
                expected = session(own, level).run(None, feeds)[0]
                np.testing.assert_array_equal(session(written.model, level).run(None, feeds)[0], expected)

    def every_width_at(self, opset):
        for structure in STRUCTURES:
            for width in WIDTHS:
                self.check_all(structure, opset, width)

    def test_every_width_in_every_structure_opset_9(self):
        self.every_width_at(9)

    def test_every_width_in_every_structure_opset_13(self):
        self.every_width_at(13)

    def test_every_width_in_every_structure_opset_18(self):
        self.every_width_at(18)

    def test_every_width_in_every_structure_opset_21(self):
        self.every_width_at(21)

    def test_every_opset(self):
        for opset in OPSETS:
            for position, structure in enumerate(STRUCTURES):
                self.check_all(structure, opset, WIDTHS[(position + opset) % len(WIDTHS)])

    def test_every_width_at_every_opset(self):
        for opset in OPSETS:
            for width in WIDTHS:
                self.check_all("conv_odd", opset, width)
                self.check_all("matmul", opset, width)

    def test_blocks(self):
        for opset in (7, 9, 11, 13, 17, 18, 21, 25):
            for structure in ("matmul", "gemm", "gemm_transposed", "gather", "half"):
                for width in ("3bit/b32", "4bit/b16", "5bit/b16", "8bit/b32"):
                    self.check_all(structure, opset, width)

    def test_trellises(self):
        for opset in (7, 9, 11, 13, 17, 18, 21, 25):
            for position, structure in enumerate(STRUCTURES):
                for trellis in TRELLISES[(position + opset) % 2::2]:
                    self.check_all(structure, opset, trellis)

    def test_rows_of_several_widths(self):
        for opset in (9, 11, 12, 13, 15, 17, 18, 21, 25):
            for position, structure in enumerate(STRUCTURES):
                for rows in ROWS if opset in (11, 18) else ROWS[(position + opset) % 3::3]:
                    self.check_all(structure, opset, rows)

    def test_halves(self):
        for opset in (7, 9, 13, 21):
            for structure in ("conv", "gather", "lstm", "constant_node", "gemm_transposed"):
                self.check_all(structure, opset, "half")

    def test_mixed_widths(self):
        for opset in (9, 13, 18, 21):
            self.check_all("if_bodies", opset, "3bit,5bit,half,8bit")
            self.check_all("lstm", opset, "2bit,7bit")

    def test_float_everywhere_leaves_the_model_alone(self):
        for opset in (7, 13, 21):
            for structure in STRUCTURES:
                with self.subTest(structure=structure, opset=opset):
                    model, _, written = self.write(structure, opset, "float")
                    self.assertEqual(written.model, model)
                    self.assertEqual((written.exact, written.bound), (written.bytes, written.bytes))

    def test_lowest_ir_version(self):
        for opset, width, expected in ((7, "3bit", 8), (9, "half", 4), (7, "half", 4), (21, "4bit", 10), (18, "4bit", 8)):
            with self.subTest(opset=opset, width=width):
                _, _, written = self.write("conv", opset, width)
                self.assertEqual(written.model.ir_version, max(expected, ir_for(opset)))


class IntegerKernelTest(EncodeTest):
    """The run form that feeds DequantizeLinear: exact before fusion, on MatMulNBits after."""

    def check_integer(self, structure, opset, candidates, kernel_bits):
        with self.subTest(structure=structure, opset=opset, candidates=candidates):
            model, feed, written = self.write(structure, opset, candidates, "int8")
            self.check_file(model, written, structure)
            self.assertEqual({fields[2] for fields in written.layers.values()}, {f"int{kernel_bits} kernel"})
            transposed = structure in ("gemm_transposed", "gemm_no_bias")
            stored = self.check_numbers(written, transposed)
            reference = with_weights(model, {w.name: w.value.T if transposed else w.value for w in stored})
            for level in LEVELS:
                expected = session(reference, level).run(None, feed)[0]
                dump = os.path.join(self.folder.name, "optimized.onnx")
                actual = session(written.model, level, dump).run(None, feed)[0]
                error = np.linalg.norm(actual - expected) / np.linalg.norm(expected)
                if level < 2:
                    self.assertLess(error, 1e-6)
                    continue
                nodes = onnx.load(dump).graph.node
                self.assertEqual([n.op_type for n in nodes], ["MatMulNBits"])
                bits = {a.name: a.i for a in nodes[0].attribute}["bits"]
                self.assertEqual(bits, kernel_bits)
                self.assertLess(error, 0.03)

    def test_per_channel(self):
        for opset in (13, 15, 17, 18, 21, 25):
            for structure in ("matmul", "matmul_odd", "gemm", "gemm_transposed", "gemm_no_bias"):
                for width in WIDTHS:
                    narrow = opset >= 21 and int(width[0]) <= 4
                    self.check_integer(structure, opset, width, 4 if narrow else 8)

    def test_rows_of_several_widths_on_kernels(self):
        for structure in ("matmul", "gemm", "gemm_transposed"):
            for opset in (17, 21):
                for rows in ROWS:
                    self.check_integer(structure, opset, rows, 4 if opset >= 21 and rows == "3bit/rows" else 8)

    def test_trellises_on_kernels(self):
        for opset in (13, 17, 21, 25):
            for structure in ("matmul", "matmul_odd", "gemm", "gemm_transposed", "gemm_no_bias"):
                for trellis in TRELLISES:
                    self.check_integer(structure, opset, trellis, 8)

    def test_blocks_on_kernels(self):
        for opset in (21, 25):
            for structure in ("matmul", "gemm", "gemm_transposed"):
                for width in ("3bit/b32", "4bit/b16", "6bit/b32", "8bit/b16"):
                    self.check_integer(structure, opset, width, 4 if int(width[0]) <= 4 else 8)

    def test_rows_stay_integers_until_they_are_looked_up(self):
        """The table that ONNX Runtime holds once it has loaded the model is int8, and what is looked up the same to the bit."""
        blocks = ["3bit/b16", "4bit/b32", "8bit/b16"]
        for opset in (13, 17, 21, 25):
            for candidates in (*WIDTHS, *ROWS, *TRELLISES, *blocks):
                for structure in ("gather", "gather_one"):
                    with self.subTest(structure=structure, opset=opset, candidates=candidates):
                        model, feed, written = self.write(structure, opset, candidates, "int8")
                        self.check_file(model, written, structure)
                        self.assertEqual({fields[2] for fields in written.layers.values()}, {"int8 rows, floats once they are looked up"})
                        stored = self.check_numbers(written)
                        reference = with_weights(model, {weight.name: weight.value for weight in stored})
                        for level in LEVELS:
                            dump = os.path.join(self.folder.name, "optimized.onnx")
                            actual = session(written.model, level, dump).run(None, feed)[0]
                            np.testing.assert_array_equal(actual, session(reference, level).run(None, feed)[0])
                        loaded = {onnx.helper.tensor_dtype_to_np_dtype(t.data_type) for t in onnx.load(dump).graph.initializer
                                  if np.prod(t.dims) == stored[0].value.size}
                        self.assertEqual(loaded, {np.dtype(np.int8)})

    def test_other_structures_fold_to_float_and_say_why(self):
        for opset, structure in ((9, "matmul"), (13, "conv"), (12, "gather"), (18, "lstm"), (21, "shared"),
                                 (21, "half"), (21, "transpose"), (21, "matmul_batched"), (21, "if_bodies")):
            with self.subTest(structure=structure, opset=opset):
                _, _, written = self.write(structure, opset, "3bit", "int8")
                for fields in written.layers.values():
                    self.assertEqual(fields[2], "folded to float")
                    self.assertNotEqual(fields[3], "")

    def test_blocks_below_opset_21_fold_to_float(self):
        _, _, written = self.write("matmul", 17, "4bit/b32", "int8")
        self.assertEqual([fields[2] for fields in written.layers.values()], ["folded to float"])


# The cases of the base class are for the folded form; they run once, under its own name.
for _name in [n for n in dir(EncodeTest) if n.startswith("test_")]:
    setattr(IntegerKernelTest, _name, None)


if __name__ == "__main__":
    DRIVER = os.path.abspath(sys.argv.pop(1))
    unittest.main()
