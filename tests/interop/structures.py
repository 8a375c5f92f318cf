"""Small models, one per way a weight can enter a graph, at any opset from 7 on."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def ir_for(opset):
    """The IR version of the ONNX release that brought the opset."""
    for first, ir in ((25, 12), (23, 11), (21, 10), (19, 9), (15, 8), (12, 7), (11, 6), (10, 5), (9, 4)):
        if opset >= first:
            return ir
    return 3


class Structure:
    """A model under construction: nodes, weights, inputs and the feed that runs it."""

    def __init__(self, opset, seed=0):
        self.opset = opset
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers, self.inputs, self.feed = [], [], [], {}
        self.element = np.float32
        self.ir = ir_for(opset)

    def weight(self, name, *shape):
        """A normal weight whose channels differ a thousandfold in size."""
        values = self.random.standard_normal(shape) * 0.05
        spread = 10.0 ** self.random.uniform(-3, 0, size=(shape[0],) + (1,) * (len(shape) - 1))
        return numpy_helper.from_array((values * spread).astype(self.element), name)

    def initializer(self, name, *shape):
        self.initializers.append(self.weight(name, *shape))
        return name

    def input(self, name, *shape, integers_below=None):
        if integers_below:
            self.feed[name] = np.asarray(self.random.integers(0, integers_below, shape))
        else:
            self.feed[name] = self.random.standard_normal(shape).astype(self.element)
        kind = helper.np_dtype_to_tensor_dtype(self.feed[name].dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output + "_node", **attributes))
        return output

    def model(self, rank):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.element))
        inputs = list(self.inputs)
        if self.ir < 4:  # every initializer is listed as an input there
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.initializers]
        graph = helper.make_graph(self.nodes, "structure", inputs,
                                  [helper.make_tensor_value_info("Y", kind, [f"d{i}" for i in range(rank)])],
                                  self.initializers,
                                  doc_string="as it was")
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                                  ir_version=self.ir, producer_name="test")
        helper.set_model_props(model, {"author": "somebody"})
        return model, self.feed


def convolution(opset, kernel, groups=1, op="Conv"):
    s = Structure(opset)
    channels = kernel[0] if op == "ConvTranspose" else kernel[1] * groups
    x = s.input("X", 2, channels, *([9] * (len(kernel) - 2)))
    s.node(op, [x, s.initializer("conv.weight", *kernel)], "Y", group=groups)
    return s.model(len(kernel))


def gemm(opset, transposed, bias=True):
    s = Structure(opset)
    x = s.input("X", 5, 64)
    w = s.initializer("fc.weight", *((48, 64) if transposed else (64, 48)))
    c = [s.initializer("fc.bias", 48)] if bias or opset < 11 else []
    s.node("Gemm", [x, w] + c, "Y", transB=int(transposed))
    return s.model(2)


def matmul(opset, k=64, n=48):
    s = Structure(opset)
    s.node("MatMul", [s.input("X", 2, 7, k), s.initializer("mm.weight", k, n)], "Y")
    return s.model(3)


def batched_matmul(opset):
    s = Structure(opset)
    s.node("MatMul", [s.input("X", 4, 7, 32), s.initializer("mm.weight", 4, 32, 24)], "Y")
    return s.model(3)


def gather(opset):
    s = Structure(opset)
    ids = s.input("ids", 3, 5, integers_below=40)
    s.node("Gather", [s.initializer("embedding.weight", 40, 32), ids], "Y")
    return s.model(3)


def gather_one(opset):
    s = Structure(opset)
    s.node("Gather", [s.initializer("embedding.weight", 40, 32), s.input("id", integers_below=40)], "row")
    s.node("Neg", ["row"], "Y")
    return s.model(1)


def lstm(opset):
    s = Structure(opset)
    x = s.input("X", 6, 2, 16)
    w, r = s.initializer("lstm.W", 1, 96, 16), s.initializer("lstm.R", 1, 96, 24)
    s.nodes.append(helper.make_node("LSTM", [x, w, r], ["Y"], name="lstm", hidden_size=24))
    return s.model(4)


def in_constant_node(opset):
    s = Structure(opset)
    s.nodes.append(helper.make_node("Constant", [], ["const.weight"], name="c", value=s.weight("", 16, 8, 3, 3)))
    s.node("Conv", [s.input("X", 1, 8, 9, 9), "const.weight"], "Y")
    return s.model(4)


def through_transpose(opset):
    s = Structure(opset)
    w = s.node("Transpose", [s.initializer("t.weight", 48, 64)], "T", perm=[1, 0])
    s.node("MatMul", [s.input("X", 5, 64), w], "Y")
    return s.model(2)


def through_reshape(opset):
    s = Structure(opset)
    s.initializers.append(numpy_helper.from_array(np.array([64, 48]), "shape"))
    w = s.node("Reshape", [s.initializer("r.weight", 64, 4, 12), "shape"], "R")
    s.node("MatMul", [s.input("X", 5, 64), w], "Y")
    return s.model(2)


def shared(opset):
    s = Structure(opset)
    w = s.initializer("shared.weight", 48, 48)
    s.node("MatMul", [s.node("MatMul", [s.input("X", 5, 48), w], "H"), w], "Y")
    return s.model(2)


def in_if_bodies(opset):
    s = Structure(opset)
    s.ir = max(s.ir, 4)  # before, a body could not have initializers
    x = s.input("X", 5, 32)
    s.inputs.append(helper.make_tensor_value_info("choice", TensorProto.BOOL, []))
    s.feed["choice"] = np.array(True)
    bodies = {}
    for branch in ("then", "else"):
        # One weight an initializer of the body, one in a Constant node; both bodies use the same names.
        nodes = [helper.make_node("Constant", [], ["inner.const"], value=s.weight("", 40, 24), name=branch + "_c"),
                 helper.make_node("MatMul", [x, "inner.weight"], [branch + "_h"], name=branch + "_mm"),
                 helper.make_node("MatMul", [branch + "_h", "inner.const"], [branch + "_y"], name=branch + "_mm2")]
        bodies[branch + "_branch"] = helper.make_graph(
            nodes, branch, [], [helper.make_tensor_value_info(branch + "_y", FLOAT, [5, 24])],
            [s.weight("inner.weight", 32, 40)])
    s.nodes.append(helper.make_node("If", ["choice"], ["Y"], name="if", **bodies))
    return s.model(2)


def half_precision(opset):
    s = Structure(opset)
    s.element = np.float16
    s.node("MatMul", [s.input("X", 5, 64), s.initializer("half.weight", 64, 48)], "Y")
    return s.model(2)


STRUCTURES = {
    "conv": lambda o: convolution(o, (16, 8, 3, 3)),
    "conv_odd": lambda o: convolution(o, (5, 7, 3, 3)),
    "conv_grouped": lambda o: convolution(o, (16, 4, 3, 3), groups=4),
    "conv_depthwise": lambda o: convolution(o, (24, 1, 3, 3), groups=24),
    "conv_1d": lambda o: convolution(o, (16, 8, 3)),
    "conv_3d": lambda o: convolution(o, (8, 4, 3, 3, 3)),
    "conv_transpose": lambda o: convolution(o, (8, 12, 3, 3), op="ConvTranspose"),
    "gemm": lambda o: gemm(o, False),
    "gemm_transposed": lambda o: gemm(o, True),
    "gemm_no_bias": lambda o: gemm(o, True, bias=False),
    "matmul": matmul,
    "matmul_odd": lambda o: matmul(o, 51, 13),
    "matmul_batched": batched_matmul,
    "gather": gather,
    "gather_one": gather_one,
    "lstm": lstm,
    "constant_node": in_constant_node,
    "transpose": through_transpose,
    "reshape": through_reshape,
    "shared": shared,
    "if_bodies": in_if_bodies,
    "half": half_precision,
}
