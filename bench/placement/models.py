#!/usr/bin/env python3
"""Makes the networks of bench/placement that are not fetched: a ResNet-50-shaped int8 network and one with real branches.

    models.py FOLDER      writes resnet50_int8.onnx, towers.onnx and NAME.npz beside each

Weights are random (the times do not depend on them) and the same in every run.
"""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization


class Builder:
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights, self.count = [], [], 0

    def name(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def weight(self, shape, fan_in):
        name = self.name("w")
        values = self.random.normal(0, (2.0 / fan_in) ** 0.5, shape).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op, inputs, **attributes):
        output = self.name(op.lower())
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(self, x, inputs, outputs, kernel=1, stride=1, relu=True):
        w = self.weight((outputs, inputs, kernel, kernel), inputs * kernel * kernel)
        b = self.weight((outputs,), 1e4)
        pad = kernel // 2
        y = self.node("Conv", [x, w, b], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
        return self.node("Relu", [y]) if relu else y

    def model(self, inputs, output, shape):
        graph = helper.make_graph(
            self.nodes, "bench",
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def resnet50():
    """He et al. 2016: stem, bottlenecks 3, 4, 6, 3, classifier."""
    b = Builder(1)
    x = b.conv("x", 3, 64, 7, 2)
    x = b.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            s = stride if i == 0 else 1
            y = b.conv(x, channels, width)
            y = b.conv(y, width, width, 3, s)
            y = b.conv(y, width, 4 * width, relu=False)
            if i == 0:
                x = b.conv(x, channels, 4 * width, 1, s, relu=False)
            x = b.node("Relu", [b.node("Add", [x, y])])
            channels = 4 * width
    x = b.node("GlobalAveragePool", [x])
    x = b.node("Flatten", [x])
    w = b.weight((2048, 1000), 2048)
    x = b.node("MatMul", [x, w])
    return b.model([("x", [1, 3, 224, 224])], x, [1, 1000])


def towers():
    """A short stem, three towers of unequal depth side by side, and a joint: branches that do real work."""
    b = Builder(2)
    x = b.conv("x", 3, 48, 3, 2)
    ends = []
    for depth in (6, 6, 5):
        y = x
        for _ in range(depth):
            y = b.conv(y, 48, 48, 3)
        ends.append(b.node("GlobalAveragePool", [y]))
    x = b.node("Flatten", [b.node("Concat", ends, axis=1)])
    x = b.node("MatMul", [x, b.weight((144, 10), 144)])
    return b.model([("x", [1, 3, 128, 128])], x, [1, 10])


class Random(quantization.CalibrationDataReader):
    def __init__(self, shape, count):
        random = np.random.default_rng(3)
        self.feeds = iter([{"x": random.normal(0, 1, shape).astype(np.float32)} for _ in range(count)])

    def get_next(self):
        return next(self.feeds, None)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(4)
    for name, model, shape in (("resnet50", resnet50(), (1, 3, 224, 224)), ("towers", towers(), (1, 3, 128, 128))):
        path = folder / f"{name}.onnx"
        onnx.save(model, path)
        if name == "resnet50":
            quantization.quantize_static(
                str(path), str(folder / "resnet50_int8.onnx"), Random(shape, 2), per_channel=True,
                activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)
            path.unlink()
            name = "resnet50_int8"
        np.savez(folder / f"{name}.npz", x=random.normal(0, 1, (4,) + shape[1:]).astype(np.float32))


if __name__ == "__main__":
    main()
