"""Networks of well-known shapes with random weights: what they compute is nothing, how long they take is real."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Convolutions with their bias (batch normalization folded in), as exporters write them."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.tensors = [], []

    def tensor(self, name, values):
        self.tensors.append(numpy_helper.from_array(values, name))
        return name

    def op(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, source, name, cin, cout, kernel, stride=1, act="Relu"):
        scale = np.sqrt(2 / (cin * kernel * kernel))
        weight = self.tensor(f"{name}.w", (self.rng.normal(size=(cout, cin, kernel, kernel)) * scale).astype(np.float32))
        bias = self.tensor(f"{name}.b", (self.rng.normal(size=cout) * 0.05).astype(np.float32))
        value = self.op("Conv", [source, weight, bias], name, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4,
                        strides=[stride] * 2)
        if act == "Relu":
            return self.op("Relu", [value], f"{name}.relu")
        if act == "SiLU":
            return self.op("Mul", [value, self.op("Sigmoid", [value], f"{name}.sigmoid")], f"{name}.silu")
        return value

    def model(self, shape, outputs):
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                                  [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
                                  self.tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def resnet50():
    """ResNet-50 (He et al. 2016) at 224 x 224."""
    b = Builder(1)
    value = b.conv("x", "stem", 3, 64, 7, 2)
    value = b.op("MaxPool", [value], "pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    cin = 64
    for stage, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            name, stride = f"s{stage}b{block}", 2 if stage > 0 and block == 0 else 1
            inner = b.conv(value, f"{name}.1", cin, width, 1)
            inner = b.conv(inner, f"{name}.2", width, width, 3, stride)
            inner = b.conv(inner, f"{name}.3", width, 4 * width, 1, act=None)
            skip = b.conv(value, f"{name}.skip", cin, 4 * width, 1, stride, act=None) if block == 0 else value
            value = b.op("Relu", [b.op("Add", [inner, skip], f"{name}.add")], f"{name}.relu")
            cin = 4 * width
    value = b.op("Flatten", [b.op("GlobalAveragePool", [value], "mean")], "flat")
    weight = b.tensor("fc.w", (b.rng.normal(size=(1000, cin)) / np.sqrt(cin)).astype(np.float32))
    b.op("Gemm", [value, weight, b.tensor("fc.b", np.zeros(1000, np.float32))], "logits", transB=1)
    return b.model([1, 3, 224, 224], ["logits"])


def yolo():
    """The shape of a small YOLO detector at 320 x 320: SiLU, split-free C3 blocks, upsampling, concatenation, two heads."""
    b = Builder(2)

    def c3(value, name, cin, cout, repeats):
        left = b.conv(value, f"{name}.l", cin, cout // 2, 1, act="SiLU")
        right = b.conv(value, f"{name}.r", cin, cout // 2, 1, act="SiLU")
        for i in range(repeats):
            inner = b.conv(left, f"{name}.{i}a", cout // 2, cout // 2, 1, act="SiLU")
            inner = b.conv(inner, f"{name}.{i}b", cout // 2, cout // 2, 3, act="SiLU")
            left = b.op("Add", [left, inner], f"{name}.{i}add")
        joined = b.op("Concat", [left, right], f"{name}.cat", axis=1)
        return b.conv(joined, f"{name}.out", cout, cout, 1, act="SiLU")

    value = b.conv("x", "stem", 3, 32, 6 // 2, 2, act="SiLU")
    value = c3(b.conv(value, "d1", 32, 64, 3, 2, act="SiLU"), "c1", 64, 64, 1)
    small = c3(b.conv(value, "d2", 64, 128, 3, 2, act="SiLU"), "c2", 128, 128, 2)
    large = c3(b.conv(small, "d3", 128, 256, 3, 2, act="SiLU"), "c3", 256, 256, 2)
    lateral = b.conv(large, "lat", 256, 128, 1, act="SiLU")
    scales = b.tensor("up.scales", np.array([1, 1, 2, 2], np.float32))
    up = b.op("Resize", [lateral, "", scales], "up", mode="nearest", coordinate_transformation_mode="asymmetric",
              nearest_mode="floor")
    merged = c3(b.op("Concat", [up, small], "merge", axis=1), "c4", 256, 128, 1)
    b.conv(merged, "head1", 128, 255, 1, act=None)
    b.conv(lateral, "head2", 128, 255, 1, act=None)
    return b.model([1, 3, 320, 320], ["head1", "head2"])


SHAPES = {"resnet50_shape": resnet50, "yolo_shape": yolo}


def inputs(model, count, seed):
    """Smooth pictures: sums of a few waves, so that ranges look like those of images."""
    shape = [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    rng = np.random.default_rng(seed)
    _, channels, height, width = shape
    y, x = np.mgrid[0:height, 0:width] / height
    pictures = []
    for _ in range(count):
        picture = np.zeros((channels, height, width))
        for _ in range(8):
            fy, fx, phase = rng.uniform(0, 30, 3)
            picture += rng.normal(size=(channels, 1, 1)) * np.sin(fy * y + fx * x + phase)
        pictures.append(picture / picture.std())
    return np.array(pictures, np.float32)[:, None]
