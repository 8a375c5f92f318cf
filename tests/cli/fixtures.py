#!/usr/bin/env python3
"""Writes the command-line tests' models and data into a folder:  fixtures.py FOLDER

net.onnx is a small convolutional classifier; inputs.npz and test.npz are samples, and labels.npy holds the classes that
a plain Python evaluation of the network gives, so the float model's accuracy is 100 % by an independent reckoning.
Everything else is one of those files with one thing wrong.
"""
import io
import os
import pathlib
import random
import struct
import sys
import zipfile

import wire
from wire import chunk, floats, graph, model, node, npy, number, tensor, value

SIDE, CLASSES = 8, 10


def noise(rng, count, scale):
    # Rounded through float32, so that this program and the file hold the same numbers.
    return list(struct.unpack(f"<{count}f", floats([rng.gauss(0, scale) for _ in range(count)])))


class Net:
    """x [n, 1, 8, 8] -> Conv 8 -> Relu -> Conv 16 -> Relu -> Flatten -> Gemm 10."""

    def __init__(self):
        rng = random.Random(20)
        self.conv1, self.bias1 = noise(rng, 8 * 1 * 9, 0.5), noise(rng, 8, 0.1)
        self.conv2, self.bias2 = noise(rng, 16 * 8 * 9, 0.2), noise(rng, 16, 0.1)
        self.fc, self.bias3 = noise(rng, CLASSES * 16 * 16, 0.1), noise(rng, CLASSES, 0.1)

    def initializers(self):
        return {
            "conv1.weight": ([8, 1, 3, 3], floats(self.conv1)), "conv1.bias": ([8], floats(self.bias1)),
            "conv2.weight": ([16, 8, 3, 3], floats(self.conv2)), "conv2.bias": ([16], floats(self.bias2)),
            "fc.weight": ([CLASSES, 256], floats(self.fc)), "fc.bias": ([CLASSES], floats(self.bias3)),
        }

    def nodes(self):
        return [
            node("Conv", ["x", "conv1.weight", "conv1.bias"], ["c1"], "conv1", kernel_shape=[3, 3]),
            node("Relu", ["c1"], ["r1"], "relu1"),
            node("Conv", ["r1", "conv2.weight", "conv2.bias"], ["c2"], "conv2", kernel_shape=[3, 3]),
            node("Relu", ["c2"], ["r2"], "relu2"),
            node("Flatten", ["r2"], ["flat"], "flatten"),
            node("Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], "fc", transB=1),
        ]

    def classify(self, image):
        c1 = convolve([image], SIDE, self.conv1, self.bias1)
        c2 = convolve(c1, SIDE - 2, self.conv2, self.bias2)
        flat = [v for channel in c2 for v in channel]
        scores = [sum(a * b for a, b in zip(self.fc[k * 256:], flat)) + self.bias3[k] for k in range(CLASSES)]
        return scores.index(max(scores))


def convolve(channels, side, weights, bias):
    """A 3x3 convolution without padding, and Relu."""
    out, result = side - 2, []
    for o, offset in enumerate(bias):
        plane = []
        for i in range(out):
            for j in range(out):
                total = offset
                for c, channel in enumerate(channels):
                    kernel = weights[(o * len(channels) + c) * 9:][:9]
                    for di in range(3):
                        row = (i + di) * side + j
                        total += sum(kernel[di * 3 + dj] * channel[row + dj] for dj in range(3))
                plane.append(max(0.0, total))
        result.append(plane)
    return result


INPUT, OUTPUT = value("x", ["batch", 1, SIDE, SIDE]), value("logits", ["batch", CLASSES])


def net_bytes(nodes=None, initializers=None, inputs=None, outputs=None, **options):
    net = Net()
    tensors = [tensor(n, s, r) for n, (s, r) in net.initializers().items()] if initializers is None else initializers
    return model(graph(nodes or net.nodes(), inputs or [INPUT], outputs or [OUTPUT], tensors), **options)


def net_with_tensor(name, shape, raw, **options):
    """net.onnx with one initializer replaced."""
    tensors = [tensor(n, s, r) for n, (s, r) in Net().initializers().items() if n != name]
    return net_bytes(initializers=tensors + [tensor(name, shape, raw, **options)])


def npz(arrays, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), data, compression)
    return buffer.getvalue()


def free_length():
    """x [1, n] -> Pad by 64 mirrored elements -> the first 32 -> MatMul: runs from n = 65 on, which no shape tells."""
    weights = noise(random.Random(21), 32 * 4, 0.3)
    whole = lambda name, values: tensor(name, [len(values)], struct.pack(f"<{len(values)}q", *values), wire.INT64)
    nodes = [
        node("Pad", ["x", "pads"], ["p"], "pad", mode=wire.text_attribute("mode", "reflect")),
        node("Slice", ["p", "begin", "end", "axis"], ["s"], "slice"),
        node("MatMul", ["s", "w"], ["y"], "product"),
    ]
    constants = [whole("pads", [0, 0, 0, 64]), whole("begin", [0]), whole("end", [32]), whole("axis", [1]),
                 tensor("w", [32, 4], floats(weights))]
    return model(graph(nodes, [value("x", [1, "n"])], [value("y", [1, 4])], constants))


def keeps_some(also_all=False):
    """net.onnx, of whose logits only the positive ones are given out: how many is told by the weights. `also_all`: all of
    them, and only the places of the positive ones."""
    net = Net()
    nodes = net.nodes() + [
        node("Greater", ["logits", "zero"], ["above"], "above"),
        node("NonZero", ["above"], ["found"], "found"),
        node("Transpose", ["found"], ["places"], "places"),
        node("GatherND", ["logits", "places"], ["kept"], "kept"),
    ]
    tensors = [tensor(n, s, r) for n, (s, r) in net.initializers().items()] + [tensor("zero", [], floats([0.0]))]
    outputs = [OUTPUT, value("places", ["some", 2], wire.INT64)] if also_all else [value("kept", ["some"])]
    return net_bytes(nodes=nodes[:-1] if also_all else nodes, initializers=tensors, outputs=outputs)


def good_files(images):
    flat = lambda some: floats([v for image in some for v in image])
    net = Net()
    labels = struct.pack("<20q", *(net.classify(image) for image in images[32:]))
    return {
        "net.onnx": net_bytes(),
        "net_21.onnx": net_bytes(opset=21),
        "inputs.npz": npz({"x": npy([32, 1, SIDE, SIDE], flat(images[:32]))}),
        "test.npz": npz({"x": npy([20, 1, SIDE, SIDE], flat(images[32:]))}),
        "labels.npy": npy([20], labels, "<i8"),
        "deflated.npz": npz({"x": npy([32, 1, SIDE, SIDE], flat(images[:32]))}, zipfile.ZIP_DEFLATED),
        "unsorted.onnx": net_bytes(nodes=Net().nodes()[::-1]),
        "twice.onnx": net_bytes(initializers=[tensor(n, s, r) for n, (s, r) in Net().initializers().items()] +
                                [tensor("fc.bias", [CLASSES], floats([0.0] * CLASSES))]),
        "evil_name.onnx": net_bytes(nodes=Net().nodes()[:-1] + [node(
            "Gemm", ["flat", "fc.weight", "fc.bias"], ["logits"], "evil\x1b]0;owned\x07", transB=1)]),
        "free_length.onnx": free_length(),
        "keeps_some.onnx": keeps_some(),
        "tells_places.onnx": keeps_some(also_all=True),
        "config.toml": b"budget = \"6bit\"\n[quantize]\nseed = 7\n",
    }


def bad_models(good):
    whole = good["net.onnx"]
    weight = floats(Net().conv1)
    external = lambda **entries: net_with_tensor("conv1.weight", [8, 1, 3, 3], None, external=entries)
    relu = lambda i, o: node("Relu", [i], [o], "n_" + o)
    logits = [value("y", ["batch"])]
    plain = lambda nodes, **options: model(graph(nodes, [value("x", ["batch"])], logits), **options)
    nested = graph([relu("x", "y")], [], logits)
    for _ in range(300):
        nested = graph([node("If", ["c"], ["y"], then_branch=wire.graph_attribute("then_branch", nested),
                             else_branch=wire.graph_attribute("else_branch", b""))], [], logits)
    return {
        "empty.onnx": b"",
        "text.onnx": b"This is no model.\n",
        "garbage.onnx": bytes(random.Random(3).randrange(256) for _ in range(500)),
        "half.onnx": whole[:len(whole) // 2],
        "one_byte_short.onnx": whole[:-1],
        "npz_as_model.onnx": good["inputs.npz"],
        "no_graph.onnx": number(1, 7) + chunk(8, number(2, 13)),
        "no_opset.onnx": net_bytes(imports=[]),
        "opset_6.onnx": net_bytes(opset=6),
        "opset_99.onnx": net_bytes(opset=99),
        "ir_2.onnx": net_bytes(ir=2),
        "ir_99.onnx": net_bytes(ir=99),
        "short_raw.onnx": net_with_tensor("conv1.weight", [8, 1, 3, 3], weight[:-4]),
        "long_raw.onnx": net_with_tensor("conv1.weight", [8, 1, 3, 3], weight + b"\0" * 4),
        "negative_dim.onnx": net_with_tensor("conv1.weight", [8, -1, 3, 3], weight),
        "huge_dims.onnx": net_with_tensor("conv1.weight", [1 << 62, 1 << 62, 3, 3], weight),
        "unknown_type.onnx": net_with_tensor("conv1.weight", [8, 1, 3, 3], weight, data_type=77),
        "undefined_input.onnx": plain([relu("nothing", "y")]),
        "cycle.onnx": plain([relu("b", "a"), relu("a", "b"), relu("b", "y")]),
        "written_twice.onnx": plain([relu("x", "y"), node("Abs", ["x"], ["y"], "again")]),
        "unknown_op.onnx": plain([node("Frobnicate", ["x"], ["y"], "f")]),
        "unknown_domain.onnx": plain([node("Relu", ["x"], ["y"], "f", domain="com.example")]),
        "output_missing.onnx": plain([relu("x", "z")]),
        "no_outputs.onnx": model(graph([relu("x", "y")], [value("x", ["batch"])], [])),
        "no_weights.onnx": plain([relu("x", "y")]),
        "deep.onnx": model(nested),
        "wrong_rank.onnx": net_with_tensor("conv1.weight", [8, 9], weight),
        "external_missing.onnx": external(location="nowhere.bin"),
        "external_absolute.onnx": external(location="/etc/passwd"),
        "external_escape.onnx": external(location="../../etc/passwd"),
        "external_link.onnx": external(location="link.bin"),
        "external_short.onnx": external(location="short.bin"),
        "external_beyond.onnx": external(location="short.bin", offset="4096", length="288"),
        "external_offset.onnx": external(location="short.bin", offset="minus one"),
        "external_negative.onnx": external(location="short.bin", offset="-1"),
        "external_none.onnx": external(offset="0"),
        "short.bin": b"\0" * 100,
    }


def bad_data(good, images):
    array = npy([2, 1, SIDE, SIDE], floats(images[0] + images[1]))
    one = good["inputs.npz"]
    flipped = bytearray(one)
    flipped[len(one) // 2] ^= 0xFF
    nan = floats([float("nan")] + images[0][1:])
    return {
        "empty.npz": b"",
        "text.npz": b"This is no archive.\n",
        "half.npz": one[:len(one) // 2],
        "flipped.npz": bytes(flipped),
        "no_arrays.npz": npz({}),
        "other_name.npz": npz({"image": array}),
        "extra_name.npz": npz({"x": array, "y": array}),
        "wrong_shape.npz": npz({"x": npy([2, 3, SIDE, SIDE], floats((images[0] + images[1]) * 3))}),
        "wrong_rank.npz": npz({"x": npy([2, SIDE], floats([0.0] * 2 * SIDE))}),
        "no_samples.npz": npz({"x": npy([0, 1, SIDE, SIDE], b"")}),
        "text_array.npz": npz({"x": npy([2], b"\0" * 16, "<U2")}),
        "object_array.npz": npz({"x": npy([1], b"\x80\x04N.", "|O")}),
        "short_array.npz": npz({"x": array[:-8]}),
        "no_magic.npz": npz({"x": b"NUMPY" + array[5:]}),
        "header.npz": npz({"x": array[:10] + b"x" * 118 + array[128:]}),
        "nan.npz": npz({"x": npy([1, 1, SIDE, SIDE], nan)}),
        "labels_short.npy": npy([3], struct.pack("<3q", 1, 2, 3), "<i8"),
        "labels_float.npy": npy([20], floats([0.5] * 20)),
        "labels_square.npy": npy([4, 5], struct.pack("<20q", *[0] * 20), "<i8"),
        "labels_class.npy": npy([20], struct.pack("<20q", *[99] * 20), "<i8"),
        "labels_text.npy": b"1 2 3\n",
        "empty.json": b"",
        "list.json": b"[1, 2]\n",
        "other.json": b"{\"hello\": 1}\n",
        "version.json": b"{\"schema_version\": 99, \"record\": \"plan\"}\n",
        "hollow.json": b"{\"schema_version\": 1, \"record\": \"sensitivity\"}\n",
        "unknown_key.toml": b"bugdet = \"6bit\"\n",
        "unknown_section.toml": b"[quantise]\nseed = 1\n",
        "bad_value.toml": b"seed = \"many\"\n",
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(4)
    images = [noise(rng, SIDE * SIDE, 1.0) for _ in range(52)]
    files = good_files(images)
    files.update(bad_models(files))
    files.update(bad_data(files, images))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "empty_folder").mkdir(exist_ok=True)
    (folder / "odd_folder").mkdir(exist_ok=True)
    (folder / "odd_folder" / "notes.txt").write_text("no samples here\n")
    link = folder / "link.bin"
    if not link.is_symlink():
        os.symlink("/etc/passwd", link)


if __name__ == "__main__":
    main()
