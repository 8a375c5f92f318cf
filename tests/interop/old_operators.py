"""A small convolutional network of operators whose signatures changed between the operator sets 8 and 13."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


class _Network:
    def __init__(self, opset):
        self.opset, self.tensors, self.nodes, self.rng = opset, [], [], np.random.default_rng(1)

    def constant(self, name, values, dtype=np.float32):
        self.tensors.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(self, operator, source, target, *constants, **attributes):
        """`constants`: (name, values[, type]) of further inputs."""
        names = [self.constant(*constant) for constant in constants]
        self.nodes.append(helper.make_node(operator, [source, *names], [target], name=target, **attributes))

    def normalised_conv(self, source, target, outputs, inputs, kernel):
        weight = self.rng.normal(size=(outputs, inputs, kernel, kernel)) / np.sqrt(inputs * kernel**2)
        self.add("Conv", source, target + ".c", (target + ".w", weight), pads=[kernel // 2] * 4)
        numbers = {"s": self.rng.uniform(.5, 2, outputs), "b": self.rng.normal(size=outputs), "m": self.rng.normal(size=outputs) * .1,
                   "v": self.rng.uniform(.5, 2, outputs)}
        self.add("BatchNormalization", target + ".c", target, *((f"{target}.{n}", v) for n, v in numbers.items()), epsilon=1e-3)


def old_network(opset):
    """x [n, 8, 16, 16] -> y [n, 10], of an operator set from 8 to 12."""
    net = _Network(opset)
    net.normalised_conv("x", "conv1", 16, 8, 3)
    net.add("LeakyRelu", "conv1", "leaky", alpha=.1)
    net.add("LRN", "leaky", "local", size=5)
    if opset == 8:
        net.add("Identity", "local", "large")
    elif opset < 11:
        net.add("Upsample" if opset == 9 else "Resize", "local", "large", ("scales", [1, 1, 2, 2]), mode="nearest")
    else:
        net.add("Resize", "local", "large", ("roi", []), ("scales", [1, 1, 2, 2]), mode="nearest",
                coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    net.normalised_conv("large", "conv2", 16, 16, 3)
    pads = [0, 0, 1, 1, 0, 0, 1, 1]
    if opset < 11:
        net.add("Clip", "conv2", "clipped", min=0.0, max=6.0)
        net.add("Pad", "clipped", "padded", pads=pads)
    else:
        net.add("Clip", "conv2", "clipped", ("low", 0), ("high", 6))
        net.add("Pad", "clipped", "padded", ("pads", pads, np.int64))
    net.add("MaxPool", "padded", "pooled", kernel_shape=[2, 2], strides=[2, 2])
    net.nodes.append(helper.make_node("Split", ["pooled"], ["one", "two"], name="split", axis=1, split=[8, 8]))
    net.nodes.append(helper.make_node("Concat", ["two", "one"], ["swapped"], name="swapped", axis=1))
    net.normalised_conv("swapped", "conv3", 24, 16, 1)
    net.add("PRelu", "conv3", "bent", ("slope", np.full((24, 1, 1), .2)))
    if opset < 10:
        net.add("Slice", "bent", "part", axes=[2], starts=[0], ends=[8])
    else:
        net.add("Slice", "bent", "part", ("starts", [0], np.int64), ("ends", [8], np.int64), ("axes", [2], np.int64))
    net.add("Softmax", "part", "weights", axis=1)  # over all axes from 1 on, before opset 13
    net.nodes.append(helper.make_node("Mul", ["weights", "part"], ["attended"], name="attended"))
    net.add("ReduceSum", "attended", "summed", axes=[2, 3], keepdims=1)
    net.add("Dropout", "summed", "dropped", **({"ratio": .5} if opset < 12 else {}))
    net.add("Squeeze", "dropped", "flat", axes=[2, 3])
    net.add("Gemm", "flat", "y", ("fc.w", net.rng.normal(size=(10, 24))), ("fc.b", net.rng.normal(size=10)), transB=1)
    graph = helper.make_graph(net.nodes, "old", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8, 16, 16])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])], net.tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=5)
