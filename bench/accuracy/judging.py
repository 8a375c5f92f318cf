"""Independent of mpq's own figures: plain round-to-nearest by NumPy, and the damage of a file by ONNX Runtime and NumPy."""
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

# Output-channel axis of a weight, by operator; MatMul's and Gemm's are found from the node.
CHANNEL_AXIS = {"Conv": 0, "ConvTranspose": 1, "Gather": 0, "LSTM": 1, "GRU": 1}
LEAST_PROBABILITY = 1e-9


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def samples(path, limit=None):
    """One feed per row of the leading axis."""
    arrays = dict(np.load(path))
    count = min(len(a) for a in arrays.values())
    return [{k: a[i:i + 1] for k, a in arrays.items()} for i in range(min(count, limit or count))]


def fit(feeds, runtime):
    """Drops the leading axis where the model's input has none for it, and what is no input."""
    rank = {i.name: len(i.shape) for i in runtime.get_inputs()}
    return [{k: np.asarray(v if v.ndim == rank[k] else v[0]) for k, v in feed.items() if k in rank} for feed in feeds]


def kind_of(values):
    """What an output holds, told from its values."""
    if not np.issubdtype(values.dtype, np.floating):
        return "labels"
    row = values.astype(np.float64)
    if row.shape and row.shape[-1] > 1 and row.min() >= 0 and np.allclose(row.sum(-1), 1, atol=1e-2):
        return "probabilities"
    if row.shape and row.shape[-1] >= 8 and np.allclose((row**2).sum(-1), 1, atol=1e-3):
        return "tensor"
    if row.min() >= 0 and row.max() <= 1:
        return "sigmoid"
    return "logits" if row.ndim == 2 and row.shape[0] == 1 and 2 <= row.shape[1] <= 30000 else "tensor"


def rows_of(kind, y):
    """An output as rows of probabilities."""
    y = y.astype(np.float64)
    if kind == "sigmoid":
        p = np.clip(y.reshape(-1), 1e-7, 1 - 1e-7)
        return np.stack([p, 1 - p], -1)
    if kind == "logits":
        y = np.exp(y - y.max(-1, keepdims=True))
    y = np.maximum(y.reshape(-1, y.shape[-1]), LEAST_PROBABILITY)
    return y / y.sum(-1, keepdims=True)


def damage(reference, changed, feeds):
    """Relative squared error over all outputs and samples (their mean), and the mean divergence in nats, or None."""
    names = [o.name for o in reference.get_outputs()]
    error, energy, divergences, kinds = {}, {}, {}, {}
    for feed in feeds:
        for name, y, z in zip(names, reference.run(names, feed), changed.run(names, feed)):
            kind = kinds.setdefault(name, kind_of(y))
            if kind == "labels":
                continue
            finite = np.isfinite(y)
            error[name] = error.get(name, 0) + float(((y - z)[finite].astype(np.float64) ** 2).sum())
            energy[name] = energy.get(name, 0) + float((y[finite].astype(np.float64) ** 2).sum())
            if kind != "tensor":
                p, q = rows_of(kind, y), rows_of(kind, z)
                divergences.setdefault(name, []).append(float((p * np.log(p / q)).sum(-1).mean()))
    relative = np.mean([error[n] / max(energy[n], 1e-30) for n in error])
    kl = np.mean([np.mean(d) for d in divergences.values()]) if divergences else None
    return float(relative), None if kl is None else float(kl)


def graphs(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from graphs(inner)


def channel_axis(node, index, rank):
    if node.op_type == "MatMul":
        return rank - 1 if index == 1 else rank - 2
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return CHANNEL_AXIS[node.op_type]


def weights(model, least=128):
    """(tensor, channel axis) of every constant weight of a product, in whatever graph it stands."""
    positions = {"MatMul": (1, 0), "Gemm": (1,), "Conv": (1,), "ConvTranspose": (1,), "Gather": (0,), "LSTM": (1, 2), "GRU": (1, 2)}
    for graph in graphs(model.graph):
        tensors = {t.name: t for t in graph.initializer}
        tensors |= {n.output[0]: a.t for n in graph.node if n.op_type == "Constant" for a in n.attribute if a.name == "value"}
        seen = set()
        for node in graph.node:
            for index in positions.get(node.op_type, ()):
                tensor = tensors.get(node.input[index]) if index < len(node.input) else None
                if tensor is None or tensor.name in seen or node.input[index] in seen:
                    continue
                if tensor.data_type != onnx.TensorProto.FLOAT or len(tensor.dims) < 2 or np.prod(tensor.dims) < least:
                    continue
                seen.add(node.input[index])
                yield tensor, channel_axis(node, index, len(tensor.dims))
        for name, tensor in tensors.items():  # large ones that reach their operator through other nodes
            if name not in seen and tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1 and np.prod(tensor.dims) >= 4096:
                yield tensor, 0


def rounded(w, axis, bits, block):
    """Symmetric round-to-nearest: the values, and how many scales they take."""
    greatest = 2 ** (bits - 1) - 1
    x = np.moveaxis(w, axis, 0)
    shape, length = x.shape, x[0].size
    width = min(block, length) if block else length
    x = np.pad(x.reshape(shape[0], -1), ((0, 0), (0, -length % width))).reshape(shape[0], -1, width)
    scale = np.abs(x).max(-1, keepdims=True) / greatest
    scale[scale == 0] = 1
    y = np.clip(np.round(x / scale), -greatest - 1, greatest) * scale
    y = y.astype(np.float32).reshape(shape[0], -1)[:, :length].reshape(shape)
    return np.ascontiguousarray(np.moveaxis(y, 0, axis)), scale.size


def round_to_nearest(path, bits, block):
    """The model with every weight rounded, and the bytes it would take with ideal packing and float scales."""
    model = onnx.load(path)
    size = len(model.SerializeToString())
    for tensor, axis in list(weights(model)):
        w = numpy_helper.to_array(tensor)
        values, scales = rounded(w, axis, bits, block)
        tensor.ClearField("float_data")
        tensor.raw_data = values.tobytes()
        size += bits * w.size / 8 + 4 * scales - 4 * w.size
    return model.SerializeToString(), int(size)


def find_models(folders, names):
    found = []
    for folder in sorted(p for f in folders for p in [Path(f), *Path(f).glob("*")]):
        if (folder / "model.onnx").exists() and data_file(folder, "calib") and (not names or folder.name in names):
            found.append(folder)
    return found


def data_file(folder, start):
    return next((f for f in sorted(folder.glob(start + "*.npz")) if "streams" not in f.name), None)


def some_samples(path, count, output, draw=0, draws=1):
    """`count` samples of a file; of several draws the first takes those in front, the last those at the end."""
    arrays = dict(np.load(path))
    start = max(min(len(a) for a in arrays.values()) - count, 0) * draw // max(draws - 1, 1)
    np.savez(output, **{k: a[start:start + count] for k, a in arrays.items()})
    return output
