#!/usr/bin/env python3
"""Writes a transformer of any size with external data, to measure mpq on models that do not fit into memory.

    python3 bench/large/make_transformer.py FOLDER --width 2048 --blocks 30     # 6.2 GB
    python3 bench/large/make_transformer.py FOLDER --width 256 --blocks 24      # 92 MB

FOLDER/model.onnx and model.onnx.data: token and position embeddings, pre-norm blocks of causal attention and a Gelu
MLP, a final norm and an output head; operator set 17, float32, a symbolic sequence length. FOLDER/calibration.npz:
token sequences. Weights are random (seeded), with what makes trained ones hard to quantize: heavy tails (Student t with
5 degrees of freedom, one scale per input channel) and a few input channels of many times the usual size (Dettmers et
al. 2022, LLM.int8()). Numbers are written as they are drawn: memory stays at a few copies of the largest weight.
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper

ALIGNMENT = 4096  # pages: memory maps need no copy


class Writer:
    """Collects nodes, and streams the numbers of large initializers into the data file."""

    def __init__(self, data_path, seed):
        self.data = open(data_path, "wb")
        self.location = data_path.name
        self.random = np.random.Generator(np.random.SFC64(seed))
        self.nodes, self.initializers = [], []

    def store(self, name, array):
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=array.shape)
        self.data.write(b"\0" * (-self.data.tell() % ALIGNMENT))
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", self.location), ("offset", self.data.tell()), ("length", array.nbytes)):
            tensor.external_data.add(key=key, value=str(value))
        array.tofile(self.data)
        self.initializers.append(tensor)
        return name

    def weight(self, name, inputs, outputs, gain=1.0):
        """Rows are input channels. Student t with 5 degrees of freedom has the variance 5/3."""
        normal = self.random.standard_normal((inputs, outputs), dtype=np.float32)
        chi = self.random.standard_gamma(2.5, (inputs, 1), dtype=np.float32) * np.float32(2 / 5)
        weight = normal / np.sqrt(chi)
        outliers = self.random.choice(inputs, max(inputs // 256, 1), replace=False)
        weight[outliers] *= self.random.uniform(3, 10, (len(outliers), 1)).astype(np.float32)
        weight *= np.float32(gain) / np.sqrt(np.mean(np.square(weight), dtype=np.float64) * inputs).astype(np.float32)
        return self.store(name, weight)

    def small(self, name, array):
        self.initializers.append(onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x, name, inputs, outputs, gain=1.0):
        product = self.node("MatMul", [x, self.weight(name + ".weight", inputs, outputs, gain)], name + ".matmul")
        bias = self.small(name + ".bias", self.random.normal(0, 0.02, outputs).astype(np.float32))
        return self.node("Add", [product, bias], name)

    def norm(self, x, name, width):
        scale = self.small(name + ".scale", self.random.normal(1, 0.1, width).astype(np.float32))
        bias = self.small(name + ".bias", self.random.normal(0, 0.02, width).astype(np.float32))
        return self.node("LayerNormalization", [x, scale, bias], name, axis=-1, epsilon=1e-5)


def attention(w, x, name, width, heads):
    size = width // heads
    split = w.small(name + ".split", np.array([0, 0, heads, size], np.int64))
    parts = {}
    for part in "qkv":
        y = w.node("Reshape", [w.linear(x, f"{name}.{part}", width, width), split], f"{name}.{part}.split")
        parts[part] = w.node("Transpose", [y], f"{name}.{part}.heads", perm=[0, 2, 3, 1] if part == "k" else [0, 2, 1, 3])
    scores = w.node("MatMul", [parts["q"], parts["k"]], name + ".scores")
    scaled = w.node("Mul", [scores, w.small(name + ".scale", np.float32(size**-0.5))], name + ".scaled")
    masked = w.node("Add", [scaled, "mask"], name + ".masked")
    shares = w.node("Softmax", [masked], name + ".shares", axis=-1)
    mixed = w.node("MatMul", [shares, parts["v"]], name + ".mixed")
    mixed = w.node("Transpose", [mixed], name + ".turned", perm=[0, 2, 1, 3])
    mixed = w.node("Reshape", [mixed, w.small(name + ".join", np.array([0, 0, width], np.int64))], name + ".joined")
    return w.linear(mixed, name + ".out", width, width, 0.5)


def gelu(w, x, name):
    inner = w.node("Erf", [w.node("Mul", [x, w.small(name + ".root", np.float32(0.5**0.5))], name + ".inner")], name + ".erf")
    gate = w.node("Add", [inner, w.small(name + ".one", np.float32(1))], name + ".gate")
    return w.node("Mul", [w.node("Mul", [x, gate], name + ".product"), w.small(name + ".half", np.float32(0.5))], name)


def block(w, x, name, width, heads):
    inner = attention(w, w.norm(x, name + ".norm1", width), name + ".attention", width, heads)
    x = w.node("Add", [x, inner], name + ".middle")
    hidden = w.linear(w.norm(x, name + ".norm2", width), name + ".up", width, 4 * width)
    return w.node("Add", [x, w.linear(gelu(w, hidden, name + ".gelu"), name + ".down", 4 * width, width, 0.5)], name + ".end")


def causal_mask(w, sequence):
    """0 where a token may look, a large negative number elsewhere, for the length of this sample."""
    allowed = np.triu(np.full((sequence, sequence), -10000, np.float32), 1)
    shape = w.node("Shape", ["input_ids"], "shape")
    length = w.node("Slice", [shape, w.small("one", np.array([1], np.int64)), w.small("two", np.array([2], np.int64))], "length")
    both = w.node("Concat", [length, length], "lengths", axis=0)
    w.node("Slice", [w.small("mask.all", allowed), w.small("mask.start", np.zeros(2, np.int64)), both], "mask")
    return length


def make(folder, width, blocks, vocabulary, sequence, samples, seed):
    folder.mkdir(parents=True, exist_ok=True)
    w = Writer(folder / "model.onnx.data", seed)
    tokens = w.node("Gather", [w.weight("tokens", vocabulary, width, vocabulary**0.5), "input_ids"], "embedded")
    length = causal_mask(w, sequence)
    positions = w.weight("positions", sequence, width, (0.1 * sequence) ** 0.5)
    placed = w.node("Slice", [positions, w.small("zero", np.zeros(1, np.int64)), length], "placed")
    x = w.node("Add", [tokens, placed], "start")
    for i in range(blocks):
        x = block(w, x, f"block{i}", width, max(width // 64, 1))
    w.node("MatMul", [w.norm(x, "norm", width), w.weight("head", width, vocabulary, 2.0)], "logits")
    w.data.close()
    graph = helper.make_graph(
        w.nodes, "transformer",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", vocabulary])],
        w.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save_model(model, folder / "model.onnx")
    ids = np.random.default_rng(seed + 1).integers(0, vocabulary, (samples, sequence), np.int64)
    np.savez(folder / "calibration.npz", input_ids=ids)
    print(f"{folder / 'model.onnx'}: {blocks} blocks of width {width}, "
          f"{(folder / 'model.onnx.data').stat().st_size / 1e9:.3f} GB of weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--blocks", type=int, default=30)
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--sequence", type=int, default=32)
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make(options.folder, options.width, options.blocks, options.vocabulary, options.sequence, options.samples,
         options.seed)


if __name__ == "__main__":
    main()
