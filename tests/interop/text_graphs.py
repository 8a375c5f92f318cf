"""The structures of graphs/*.onnxtxt: ONNX text in which a weight is declared by its type and filled in here.

A name in the angle brackets of a graph that no node makes and that has no numbers is a weight; it gets random numbers
that depend on its name and shape alone. `metadata_props` say the rest:

  quantized   weights mpq must quantize; in a body with its path: "branch/then_branch:W"
  left        weights it must leave and a part of the reason: "B: no operator's weight; ..."
  feed        inputs that are not normal numbers: "ids 0..39; choice true"
  sizes       extents of symbols: "batch 2"
  opsets      further opsets to test the graph at
  constants   weights that become Constant nodes        sparse    weights stored as sparse tensors
  zeros       weights of zeros: "W; V 3" (V: channel 3) positive  weights without negative numbers
  run         "onnx": ONNX Runtime has no kernel for it on a CPU, so ONNX's reference evaluator runs it;
              "custom": so does it, with operators of ours
  close       relative error allowed where the runtime folds in another order; close0: at level 0
  ignore      outputs that are random
"""

import os
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from structures import ir_for

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "graphs")


def names():
    return sorted(file.removesuffix(".onnxtxt") for file in os.listdir(FOLDER) if file.endswith(".onnxtxt"))


def pairs(text, separator=" "):
    """"a x; b y" as {"a": "x", "b": "y"}."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    return dict(part.rsplit(separator, 1) if separator in part else (part, "") for part in parts)


def random_values(name, kind, shape):
    random = np.random.default_rng(zlib.crc32(f"{name} {list(shape)}".encode()))
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return random.integers(max(limits.min, -100), min(limits.max, 100), shape).astype(dtype)
    values = random.standard_normal(shape) * 0.1
    if len(shape) > 1:  # channels whose sizes differ thirtyfold
        values *= 10.0 ** random.uniform(-1.5, 0, size=(shape[0],) + (1,) * (len(shape) - 1))
    return values.astype(dtype)


class TextGraph:
    def __init__(self, name):
        with open(os.path.join(FOLDER, name + ".onnxtxt"), encoding="utf-8") as file:
            self.source = onnx.parser.parse_model(file.read())
        self.name = name
        self.facts = {entry.key: entry.value for entry in self.source.metadata_props}
        self.description = self.source.doc_string
        self.own_opset = next(i.version for i in self.source.opset_import if i.domain == "")
        self.opsets = sorted({self.own_opset, *map(int, self.facts.get("opsets", "").split())})
        self.quantized = set(self.facts.get("quantized", "").split())
        self.left = pairs(self.facts.get("left", ""), ": ")
        self.ignored = set(self.facts.get("ignore", "").split())

    def model(self, opset=None):
        opset = opset or self.own_opset
        model = onnx.ModelProto()
        model.CopyFrom(self.source)
        for imports in (model, *model.functions):
            for entry in imports.opset_import:
                if entry.domain == "" and opset != self.own_opset:
                    entry.version = opset
        if opset != self.own_opset:
            model.ir_version = max(4, ir_for(opset))
        self._fill(model.graph)
        if "function_constant" in self.facts:
            name, *extents = self.facts["function_constant"].split()
            value = numpy_helper.from_array(random_values(name, TensorProto.FLOAT, list(map(int, extents))))
            node = helper.make_node("Constant", [], [name], value=value)
            model.functions[0].node.insert(0, node)
        return model

    def _fill(self, graph):
        made = {output for node in graph.node for output in node.output}
        made |= {tensor.name for tensor in graph.initializer}
        constants, sparse = self.facts.get("constants", "").split(), self.facts.get("sparse", "").split()
        defaults = self.facts.get("default", "").split()
        declared = list(graph.value_info) + [i for i in graph.input if i.name in defaults]
        for info in declared:
            if info.name in made:
                continue
            kind = info.type.tensor_type
            shape = [dim.dim_value for dim in kind.shape.dim]
            tensor = numpy_helper.from_array(self._weight(info.name, kind.elem_type, shape), info.name)
            if info.name in constants:
                graph.node.insert(0, helper.make_node("Constant", [], [info.name], value=tensor))
            elif info.name in sparse:
                graph.sparse_initializer.append(sparse_tensor(tensor))
            else:
                graph.initializer.append(tensor)
            if info.name not in defaults:
                graph.value_info.remove(info)
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    self._fill(attribute.g)

    def _weight(self, name, kind, shape):
        values = random_values(name, kind, shape)
        if name in self.facts.get("positive", "").split():
            values = np.abs(values) + np.array(0.5, values.dtype)
        zeros = pairs(self.facts.get("zeros", ""))
        if name in zeros:
            values[:, int(zeros[name]) if zeros[name] else slice(None)] = 0
        return values

    def feed(self, model):
        wanted, sizes = pairs(self.facts.get("feed", "")), pairs(self.facts.get("sizes", ""))
        defaults = {tensor.name for tensor in model.graph.initializer}
        result = {}
        for value in model.graph.input:
            if value.name in defaults:
                continue
            kind = value.type.tensor_type
            shape = [int(sizes[dim.dim_param]) if dim.dim_param else dim.dim_value for dim in kind.shape.dim]
            dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
            random = np.random.default_rng(zlib.crc32(value.name.encode()))
            rule = wanted.get(value.name, "")
            if rule in ("true", "false"):
                result[value.name] = np.array(rule == "true")
            elif ".." in rule:
                low, high = map(int, rule.split(".."))
                result[value.name] = random.integers(low, high + 1, shape).astype(dtype)
            else:
                result[value.name] = random.standard_normal(shape).astype(dtype)
        return result


def sparse_tensor(tensor):
    values = numpy_helper.to_array(tensor).copy()
    values[np.abs(values) < np.median(np.abs(values))] = 0
    at = np.flatnonzero(values)
    return helper.make_sparse_tensor(numpy_helper.from_array(values.ravel()[at], tensor.name),
                                     numpy_helper.from_array(at.astype(np.int64), tensor.name + "_at"), values.shape)


def graph_at(graph, path):
    """The body that a layer's path names: node and attribute, alternately."""
    steps = path.split("/") if path else []
    for node_name, attribute_name in zip(steps[::2], steps[1::2]):
        node = next(n for n in graph.node if n.name == node_name)
        graph = next(a.g for a in node.attribute if a.name == attribute_name)
    return graph
