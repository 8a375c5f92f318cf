"""Layers on integer activations: written by mpq, judged by the graph stock ONNX Runtime makes of them and by its
unoptimized arithmetic. Every test names the rule of ONNX Runtime it guards.

Usage: test_integer_activations.py MPQ [unittest arguments]
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from old_operators import old_network
from sessions import WIDEST, session

TOOL = None
SAMPLES = 24


def residual_net(clip=None):
    """conv -> Relu or Clip -> depthwise -> Relu -> conv -> Add -> Relu -> MaxPool -> conv -> mean -> Gemm."""
    rng = np.random.default_rng(5)
    tensors, nodes = [], []

    def weight(name, *shape):
        fan = int(np.prod(shape[1:]))
        tensors.append(numpy_helper.from_array((rng.normal(size=shape) / np.sqrt(fan)).astype(np.float32), name))

    def conv(source, target, cout, cin, kernel, group=1):
        weight(f"{target}.w", cout, cin // group, kernel, kernel)
        tensors.append(numpy_helper.from_array((rng.normal(size=cout) * 0.1).astype(np.float32), f"{target}.b"))
        nodes.append(helper.make_node("Conv", [source, f"{target}.w", f"{target}.b"], [target], name=target,
                                      pads=[kernel // 2] * 4, group=group))

    def relu(source, target):
        if clip is None:
            nodes.append(helper.make_node("Relu", [source], [target], name=target))
        else:
            for bound, value in zip("lh", clip):
                tensors.append(numpy_helper.from_array(np.float32(value), f"{target}.{bound}"))
            nodes.append(helper.make_node("Clip", [source, f"{target}.l", f"{target}.h"], [target], name=target))

    conv("x", "conv1", 32, 8, 3)
    relu("conv1", "r1")
    conv("r1", "conv2", 32, 32, 3, group=32)
    relu("conv2", "r2")
    conv("r2", "conv3", 32, 32, 1)
    nodes.append(helper.make_node("Add", ["conv3", "r1"], ["sum"], name="sum"))
    nodes.append(helper.make_node("Relu", ["sum"], ["r3"], name="r3"))
    nodes.append(helper.make_node("MaxPool", ["r3"], ["pool"], name="pool", kernel_shape=[2, 2], strides=[2, 2]))
    conv("pool", "conv4", 64, 32, 3)
    relu("conv4", "r4")
    nodes.append(helper.make_node("GlobalAveragePool", ["r4"], ["mean"], name="mean"))
    nodes.append(helper.make_node("Flatten", ["mean"], ["flat"], name="flat"))
    weight("fc.w", 10, 64)
    tensors.append(numpy_helper.from_array(np.zeros(10, np.float32), "fc.b"))
    nodes.append(helper.make_node("Gemm", ["flat", "fc.w", "fc.b"], ["logits"], name="fc", transB=1))
    graph = helper.make_graph(
        nodes, "residual", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 10])], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def normalised_net(opset):
    """The same with a normalisation behind every convolution, in an operator set without scales per channel."""
    model, rng = residual_net(), np.random.default_rng(9)
    nodes, graph = [], model.graph
    for node in graph.node:
        nodes.append(node)
        if node.op_type != "Conv":
            continue
        channels = next(t.dims[0] for t in graph.initializer if t.name == node.input[1])
        values = {"scale": rng.uniform(.5, 2, channels) * rng.choice([-1, 1], channels), "shift": rng.normal(size=channels) * .1,
                  "mean": rng.normal(size=channels) * .1, "variance": rng.uniform(.2, 2, channels)}
        constants = []
        for name, value in values.items():
            constants.append(f"{node.name}.{name}")
            graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), constants[-1]))
        nodes.append(helper.make_node("BatchNormalization", [node.name + ".c", *constants], [node.name], name=node.name + ".n"))
        node.output[0] = node.name + ".c"
    del graph.node[:]
    graph.node.extend(nodes)
    model.opset_import[0].version = opset
    model.ir_version = 4
    return model


class IntegerActivationsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        inputs = np.random.default_rng(6).normal(size=(SAMPLES, 1, 8, 16, 16)).astype(np.float32)
        np.savez(os.path.join(self.folder, "inputs.npz"), x=inputs)
        self.inputs = inputs

    def quantize(self, model, *options, compute="int8", rounding="nearest"):
        source, target = os.path.join(self.folder, "float.onnx"), os.path.join(self.folder, "written.onnx")
        onnx.save(model, source)
        command = [TOOL, "quantize", source, "--compute", compute, "--calibration", os.path.join(self.folder, "inputs.npz"),
                   "--engine", "adjoint", "--rounding", rounding, "--force", "-q", "-o", target, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return onnx.load(target)

    def optimized(self, model):
        path = os.path.join(self.folder, "optimized.onnx")
        session(model, dump=path)
        return onnx.load(path).graph

    def outputs(self, model, level=99):
        runner = session(model, level)
        return np.concatenate([runner.run(None, {"x": x})[0] for x in self.inputs])

    def check_all_integer(self, graph):
        operators = [node.op_type for node in graph.node]
        self.assertEqual(operators.count("QLinearConv"), 4, operators)
        self.assertEqual(operators.count("QGemm"), 1, operators)
        self.assertEqual(operators.count("QLinearAdd"), 1, operators)
        for left in ("Conv", "Gemm", "Add", "Relu", "Clip"):
            self.assertNotIn(left, operators)
        # Weights and biases are read as they stand: nothing is dequantized from constants at every run.
        stored = {tensor.name for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "DequantizeLinear":
                self.assertNotIn(node.input[0], stored)

    def check_numbers(self, model, written, least_db):
        """Fused kernels give what the same file gives operator by operator, but for roundings of half a step."""
        plain, fused = self.outputs(written, level=0), self.outputs(written)
        self.assertLess(np.abs(plain - fused).max(), 0.05 * np.abs(plain).max())
        reference = self.outputs(model)
        error = np.square(fused - reference).sum() / np.square(reference).sum()
        self.assertGreater(-10 * np.log10(error), least_db)

    def check_dump(self, written):
        """What mpq reads back from the file is what the runtime, not optimizing, makes of it."""
        folder = os.path.join(self.folder, "weights")
        done = subprocess.run([TOOL, "inspect", os.path.join(self.folder, "written.onnx"), "--dump-weights", folder,
                               "--force", "-q"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [node.output[0] for node in written.graph.node if node.op_type.startswith("Unpack")]
        self.assertEqual(len(names), len(os.listdir(folder)))
        exposed = onnx.ModelProto()
        exposed.CopyFrom(written)
        exposed.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        values = session(exposed, 0).run(names, {"x": self.inputs[0]})
        for name, value in zip(names, values):
            np.testing.assert_array_equal(np.load(os.path.join(folder, name + ".npy")), value)

    def row_plan(self, model):
        """Every layer's rows in widths of 3, 5 and 8 bits in turn."""
        source, scores, path = (os.path.join(self.folder, name) for name in ("float.onnx", "s.json", "p.json"))
        onnx.save(model, source)
        for command in (["analyze", source, "--calibration", os.path.join(self.folder, "inputs.npz"), "-o", scores],
                        ["plan", scores, "--budget", "9bit", "--uniform", "--compute", "int8", "-o", path]):
            done = subprocess.run([TOOL, *command, "--force", "-q"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        with open(scores, encoding="utf-8") as file:
            layers = {layer["layer"]["name"]: layer["layer"] for layer in json.load(file)["layers"]}
        for entry in plan["entries"]:
            rows = layers[entry["layer"]]["shape"][layers[entry["layer"]]["channel_axes"][0]]
            widths = [(3, 5, 8)[row % 3] for row in range(rows)]
            entry.update(bits=int(sum(widths) / rows + 0.5), form="grid", block=0, row_bits="".join(map(str, widths)))
        with open(path, "w", encoding="utf-8") as file:
            json.dump(plan, file)
        return path

    def test_rows_of_several_widths_land_on_the_int8_kernels(self):
        model = residual_net()
        written = self.quantize(model, "--plan", self.row_plan(model))
        self.assertEqual({node.op_type.split("bit")[0] for node in written.graph.node
                          if node.op_type.startswith("Unpack")}, {"Unpack358"})
        self.check_all_integer(self.optimized(written))
        self.check_numbers(model, written, 5)
        self.check_dump(written)

    def test_every_stored_width_lands_on_the_int8_kernels(self):
        """runtime-facts 2 and 7.2: planes fold into int8; an int2 weight in a full QDQ graph would not load."""
        model = residual_net()
        for bits, least_db in ((2, -3), (3, 5), (4, 11), (5, 17), (6, 21), (7, 24), (8, 24)):
            with self.subTest(bits=bits):
                written = self.quantize(model, "--bits", str(bits), "--uniform", "--budget", "9bit")
                types = {tensor.data_type for tensor in written.graph.initializer}
                self.assertNotIn(getattr(TensorProto, "INT2", -1), types)
                self.check_all_integer(self.optimized(written))
                self.check_numbers(model, written, least_db)
                self.check_dump(written)

    def test_normalisations_and_old_operator_sets_are_taken_out_of_the_way(self):
        """DequantizeLinear has an axis from opset 13 on, and a BatchNormalization keeps a Conv from fusing."""
        for opset in (9, 11, 12, 17):
            for rounding in ("nearest", "second-order"):
                with self.subTest(opset=opset, rounding=rounding):
                    model = normalised_net(opset)
                    record = os.path.join(self.folder, "run.json")
                    written = self.quantize(model, "--bits", str(WIDEST), "--uniform", "--budget", "9bit", "--report-json", record,
                                            rounding=rounding)
                    with open(record, encoding="utf-8") as file:
                        warned = any("is of opset 13" in warning for warning in json.load(file)["warnings"])
                    self.assertEqual(warned, opset < 13)
                    self.assertEqual(written.opset_import[0].version, max(opset, 13))
                    self.check_all_integer(self.optimized(written))
                    self.check_numbers(model, written, least_db=28 if WIDEST == 8 else 24)

    def test_operators_that_changed_since_compute_the_same(self):
        for opset in (8, 9, 10, 11, 12):
            with self.subTest(opset=opset):
                model = old_network(opset)
                onnx.checker.check_model(model)
                written = self.quantize(model, "--bits", "8", "--uniform", "--budget", "9bit")
                self.assertEqual(written.opset_import[0].version, 13)
                operators = [node.op_type for node in self.optimized(written).node]
                self.assertGreaterEqual(operators.count("QLinearConv"), 2, operators)
                self.check_numbers(model, written, least_db=30)

    def test_in_float_arithmetic_the_operator_set_stays(self):
        written = self.quantize(normalised_net(9), "--bits", "8", "--uniform", "--budget", "9bit", compute="float")
        self.assertEqual(written.opset_import[0].version, 9)
        self.assertEqual([n.op_type for n in written.graph.node].count("BatchNormalization"), 4)

    def test_relu6_is_dropped(self):
        """runtime-facts 7.3: a Clip goes only when the grid lies inside it and its scale has rank 0."""
        model = residual_net(clip=(0, 1))
        written = self.quantize(model, "--bits", str(WIDEST), "--uniform", "--budget", "9bit")
        self.check_all_integer(self.optimized(written))
        self.check_numbers(model, written, 24)

    def test_layers_meant_to_stay_float_stay_float(self):
        """runtime-facts 7.1: float weights between quantized activations become int8 unless something stands between."""
        model = residual_net()
        for layer in ("conv2", "conv3", "conv4", "fc"):
            with self.subTest(layer=layer):
                written = self.quantize(model, "--bits", "8", "--budget", "100%", "--layer", "*=8bit", "--keep", layer)
                graph = self.optimized(written)
                weights = {tensor.name: tensor for tensor in graph.initializer}
                kept = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
                self.assertEqual(len(kept), 1, [node.op_type for node in graph.node])
                self.assertEqual(weights[kept[0].input[1]].data_type, TensorProto.FLOAT)

    def test_scales_and_zero_points_have_rank_zero(self):
        """runtime-facts 0.7: per-tensor parameters of rank 1 block the removal of a Clip."""
        written = self.quantize(residual_net(), "--bits", "8", "--uniform", "--budget", "9bit")
        graph = self.optimized(written)
        constants = {tensor.name: tensor for tensor in graph.initializer}
        checked = 0
        for node in graph.node:
            if node.op_type == "QLinearConv":
                for index in (1, 2, 6, 7):
                    self.assertEqual(len(constants[node.input[index]].dims), 0)
                    checked += 1
        self.assertGreater(checked, 0)

    def test_biases_lie_on_the_grid_of_the_products(self):
        """runtime-facts 1: an int32 bias must have the scale of input times weight."""
        written = self.quantize(residual_net(), "--bits", "8", "--uniform", "--budget", "9bit")
        biases = [tensor for tensor in written.graph.initializer if tensor.data_type == TensorProto.INT32]
        self.assertEqual(len(biases), 5)
        self.assertFalse({f"conv{i}.b" for i in range(1, 5)} & {t.name for t in written.graph.initializer})

    def test_huge_biases_of_dead_channels_do_not_overflow(self):
        """runtime-facts 7.8: a bias over a tiny weight scale would leave int32."""
        model = residual_net()
        for tensor in model.graph.initializer:
            if tensor.name == "conv1.w":
                values = numpy_helper.to_array(tensor).copy()
                values[3] *= 1e-7
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
            if tensor.name == "conv1.b":
                values = numpy_helper.to_array(tensor).copy()
                values[3] = 2
                tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
        written = self.quantize(model, "--bits", "8", "--uniform", "--budget", "9bit")
        self.check_all_integer(self.optimized(written))
        self.check_numbers(model, written, 22)

    def test_a_gemm_that_swallows_its_relu_is_folded(self):
        """runtime-facts 2: Gemm with Relu becomes FusedGemm before any kernel takes its DequantizeLinear in."""
        rng = np.random.default_rng(7)
        tensors = [numpy_helper.from_array((rng.normal(size=shape) / 8).astype(np.float32), name)
                   for name, shape in (("w1", (64, 64)), ("b1", (64,)), ("w2", (64, 32)), ("b2", (32,)))]
        nodes = [helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], name="first"), helper.make_node("Relu", ["h"], ["r"]),
                 helper.make_node("Gemm", ["r", "w2", "b2"], ["y"], name="second")]
        graph = helper.make_graph(nodes, "two", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
                                  [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 32])], tensors)
        source, target = os.path.join(self.folder, "two.onnx"), os.path.join(self.folder, "two.written.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), source)
        done = subprocess.run([TOOL, "quantize", source, "--budget", "6bit", "--compute", "int8", "--bits", "5", "--json", "-q", "-o",
                               target], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        forms = json.loads(done.stdout)["run_forms"]
        self.assertIn("FusedGemm", forms["first"])
        self.assertTrue(forms["first"].startswith("folded to float"))
        self.assertEqual(forms["second"], "int8 kernel")
        optimized = [node.op_type for node in self.optimized(onnx.load(target)).node]
        self.assertNotIn("DequantizeLinear", optimized)

    def test_weights_of_up_to_seven_bits_never_saturate(self):
        """runtime-facts 7.5: processors without VNNI add pairs of products in int16; |w| <= 64 never overflows there."""
        written = self.quantize(residual_net(), "--bits", "7", "--uniform", "--budget", "9bit")
        for tensor in self.optimized(written).initializer:
            if tensor.data_type == TensorProto.INT8 and len(tensor.dims) >= 2:
                self.assertLessEqual(np.abs(numpy_helper.to_array(tensor).astype(int)).max(), 64)

    def widest_integer(self, *options):
        written = self.quantize(residual_net(), "--budget", "9bit", *options)
        return max(np.abs(numpy_helper.to_array(tensor).astype(int)).max() for tensor in self.optimized(written).initializer
                   if tensor.data_type == TensorProto.INT8 and len(tensor.dims) >= 2)

    def test_portable_files_never_saturate(self):
        """--portable keeps to that where the budget has room for 8 bits, which are taken without it."""
        self.assertGreater(self.widest_integer(), 64)
        self.assertLessEqual(self.widest_integer("--portable"), 64)


if __name__ == "__main__":
    TOOL = sys.argv.pop(1)
    unittest.main()
