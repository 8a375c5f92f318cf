"""Every structure of graphs/ at every width: quantized by mpq, decoded by NumPy, run by stock ONNX Runtime.

    structure_table.py --driver ENCODE_DRIVER --tool MPQ [--portable] [--shard K/N] [--markdown FILE] [NAME...]

For each structure, width (2 to 8 bits, trellises of 2, 3 and 5 bits, half) and opset: mpq writes the model; NumPy
decodes every stored weight; the original with these weights must give the same outputs as the written model at every
optimization level of ONNX Runtime, bit for bit where the products run in float; everything but the weights must be as
it was, byte for byte. --portable: the same of portable files, whose widths end at 7 bits, for an older ONNX Runtime, where it runs the
original. Then `mpq quantize` must analyze, quantize and verify it. Prints the table, ends with 1 when a structure fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper, inliner, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import text_graphs
from stored_form import stored_weights

WIDTHS = ["2bit", "3bit", "4bit", "5bit", "6bit", "7bit", "8bit", "half", "2bit/trellis", "5bit/trellis"]
LEVELS = (0, 1, 2, 99)
PORTABLE_WIDTHS = ["2bit", "3bit", "4bit", "5bit", "6bit", "7bit", "half"]
EXIT_UNSUPPORTED = 4

onnxruntime.set_default_logger_severity(4)


class Halve(OpRun):
    op_domain = "shop"

    def _run(self, x, note=None):
        return (x * np.float32(0.5),)


class Product(OpRun):
    op_domain = "shop"

    def _run(self, x, w):
        return (x @ w,)


class GatherElements(OpRun):
    """The reference evaluator's own takes at most 64 rows (numpy.choose), fewer than a trellis has entries."""

    def _run(self, data, indices, axis=0):
        return (np.take_along_axis(data, indices, axis),)


class Pad(OpRun):
    """The reference evaluator's own does not take off (numpy.pad)."""

    def _run(self, data, counts, mode=None):
        before, behind = counts[:data.ndim], counts[data.ndim:]
        room = np.pad(data, [(max(b, 0), max(a, 0)) for b, a in zip(before, behind)])
        return (room[tuple(slice(max(-b, 0), n - max(-a, 0)) for b, a, n in zip(before, behind, room.shape))],)


class Runner:
    """Runs a model as its structure says it can be run."""

    def __init__(self, structure):
        self.how = structure.facts.get("run", "onnxruntime")
        self.levels = LEVELS if self.how == "onnxruntime" else (0,)

    def run(self, model, level, feed):
        if self.how != "onnxruntime":
            own = [Halve, Product] if self.how == "custom" else []
            inlined = inliner.inline_local_functions(model)  # functions do not see new_ops
            return ReferenceEvaluator(inlined, new_ops=[GatherElements, Pad, *own]).run(None, feed)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                            providers=["CPUExecutionProvider"]).run(None, feed)


class Failure(Exception):
    pass


def command(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def key_of(layer):
    return f"{layer['graph']}:{layer['weight']}" if layer["graph"] else layer["weight"]


def replace_weight(model, layer, value):
    graph = text_graphs.graph_at(model.graph, layer["graph"])
    kind = next((t.data_type for t in graph.initializer if t.name == layer["weight"]), onnx.TensorProto.FLOAT)
    value = value.astype(helper.tensor_dtype_to_np_dtype(kind))
    for tensor in graph.initializer:
        if tensor.name == layer["weight"]:
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
            return
    for node in graph.node:
        if node.op_type == "Constant" and node.output[0] == layer["weight"]:
            node.attribute[0].t.CopyFrom(numpy_helper.from_array(value, node.attribute[0].t.name))
            return
    raise Failure(f"no weight {key_of(layer)} in the original")


def rename_reads(graph, old, new):
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == old:
                node.input[i] = new
        for attribute in node.attribute:
            if attribute.HasField("g"):
                rename_reads(attribute.g, old, new)


def drop(parts, wanted):
    """Removes the parts for which `wanted` does not hold."""
    kept = [part for part in parts if wanted(part)]
    del parts[:]
    parts.extend(kept)


def without_weights(model, layers, stored):
    """The original without the quantized weights, as the written model must have it."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    for weight in stored:
        layer = layers[weight.layer]
        graph = text_graphs.graph_at(result.graph, layer["graph"])
        drop(graph.initializer, lambda t: t.name != layer["weight"])
        drop(graph.node, lambda n: not (n.op_type == "Constant" and n.output[0] == layer["weight"]))
        if weight.name != layer["weight"]:
            rename_reads(graph, layer["weight"], weight.name)
    result.ir_version = 0
    return result


def without_additions(model, stored):
    """The written model without what mpq added."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    made = {weight.name for weight in stored}
    prefixes = tuple(f"w{weight.layer}." for weight in stored)
    drop(result.graph.node, lambda n: not (n.output and n.output[0] in made))
    drop(result.graph.initializer, lambda t: not (prefixes and t.name.startswith(prefixes)))
    drop(result.functions, lambda f: f.domain != "mpq")
    drop(result.opset_import, lambda i: i.domain != "mpq")
    drop(result.metadata_props, lambda p: p.key != "mpq.plan")
    result.ir_version = 0
    return result


def compare(actual, expected, tolerance, where):
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        raise Failure(f"{where}: {actual.dtype}{actual.shape} where {expected.dtype}{expected.shape} was expected")
    if tolerance == 0 or not np.issubdtype(expected.dtype, np.floating):
        if not np.array_equal(actual, expected):
            difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()
            raise Failure(f"{where}: outputs differ by {difference:.3g}")
        return
    scale = max(float(np.abs(expected.astype(np.float64)).max(initial=0)), 1e-6)
    difference = float(np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max(initial=0)) / scale
    if difference > tolerance:
        raise Failure(f"{where}: outputs differ by {difference:.3g} of their largest, more than {tolerance:.3g}")


class Test:
    def __init__(self, structure, driver, tool, folder, portable):
        self.structure, self.driver, self.tool, self.folder = structure, driver, tool, folder
        self.portable = ["portable"] if portable else []
        self.runner = Runner(structure)
        self.source = os.path.join(folder, "model.onnx")
        self.checks = 0

    def inspect(self):
        code, out, error = command(self.tool, "inspect", self.source, "--json", "-q")
        if code != 0:
            raise Failure(f"mpq inspect ends with {code}: {error.strip()}")
        return json.loads(out)["layers"]

    def check_found(self, layers):
        quantized = {key_of(layer) for layer in layers if layer["quantizable"]}
        if quantized != self.structure.quantized:
            raise Failure(f"quantizes {sorted(quantized)}, expected {sorted(self.structure.quantized)}")
        left = {key_of(layer): layer["reason"] for layer in layers if not layer["quantizable"]}
        if set(left) != set(self.structure.left):
            raise Failure(f"leaves {sorted(left)}, expected {sorted(self.structure.left)}")
        for name, part in self.structure.left.items():
            if part not in left[name]:
                raise Failure(f"leaves {name} because: {left[name]}")

    def write(self, width, compute):
        written = os.path.join(self.folder, "written.onnx")
        code, _, error = command(self.driver, self.source, width, compute, written, self.folder, *self.portable)
        if code != 0:
            raise Failure(f"{width}: writing ends with {code}: {error.strip()}")
        return onnx.load(written)

    def check_width(self, model, layers, feed, width):
        written = self.write(width, "float")
        stored = stored_weights(written)
        if without_additions(written, stored) != without_weights(model, layers, stored):
            raise Failure(f"{width}: something besides the weights changed")
        changes = {i for i, layer in enumerate(layers)
                   if layer["quantizable"] and not (width == "half" and layer["dtype"].endswith("float16"))}
        if {weight.layer for weight in stored} != changes:
            raise Failure(f"{width}: not every weight is stored in the width asked for")
        reference = onnx.ModelProto()
        reference.CopyFrom(model)
        for weight in stored:
            replace_weight(reference, layers[weight.layer], weight.value)
        facts = self.structure.facts
        for level in self.runner.levels:
            tolerance = float(facts.get("close0", facts.get("close", 0)) if level == 0 else facts.get("close", 0))
            self.check_outputs(written, reference, level, feed, tolerance, f"{width}, level {level}")
        self.check_integer(reference, layers, feed, width)

    def check_integer(self, reference, layers, feed, width):
        """The run form for integer kernels: before fusion as exact as float, after it within their rounding."""
        if width == "half" or self.runner.how != "onnxruntime" or not any(layer["quantizable"] for layer in layers):
            return
        written = self.write(width, "int8")
        close = float(self.structure.facts.get("close0", 1e-5))
        for level in self.runner.levels:
            tolerance = max(close, 1e-5) if level < 2 else 0.05
            self.check_outputs(written, reference, level, feed, tolerance, f"{width} on integer kernels, level {level}")

    def check_outputs(self, written, reference, level, feed, tolerance, where):
        outputs = [output.name for output in written.graph.output]
        expected = self.runner.run(reference, level, feed)
        for name, a, e in zip(outputs, self.runner.run(written, level, feed), expected):
            if name not in self.structure.ignored:
                compare(a, e, tolerance, f"{where}, {name}")
                self.checks += 1

    def check_float(self, model, feed):
        """Float for every layer: the model as it was."""
        if self.write("float", "float") != model:
            raise Failure("float everywhere changes the model")

    def check_pipeline(self, layers):
        """mpq quantize with made-up inputs; 4 and a sentence where nothing can be quantized or no kernel runs it."""
        code, _, error = command(self.tool, "quantize", self.source, "--budget", "5bit", "--effort", "1", "--threads", "1",
                                 "--force", "-q", "--checkpoint", "none", "-o", os.path.join(self.folder, "quantized.onnx"),
                                 *(["--portable"] if self.portable else []))
        runs = self.runner.how == "onnxruntime" and any(layer["quantizable"] for layer in layers)
        if runs and code != 0:
            raise Failure(f"mpq quantize ends with {code}: {error.strip()}")
        if not runs and code not in (0, EXIT_UNSUPPORTED):
            raise Failure(f"mpq quantize ends with {code} where 4 was expected: {error.strip()}")
        return code == 0

    def too_new(self, model):
        """Whether an older runtime does not even run the original."""
        if not self.portable or self.runner.how != "onnxruntime":
            return False
        try:
            self.runner.run(model, 0, self.structure.feed(model))
        except Exception as error:  # the runtime's errors have no base of their own
            print(f"left out: {self.structure.name} of opset {model.opset_import[0].version}: {str(error).strip()[-60:]}")
            return True
        return False

    def run(self):
        for opset in self.structure.opsets:
            model = self.structure.model(opset)
            if self.too_new(model):
                continue
            onnx.save(model, self.source)
            layers = self.inspect()
            self.check_found(layers)
            feed = self.structure.feed(model)
            self.check_float(model, feed)
            # Every width at the graph's own opset; elsewhere the widths that take different forms.
            some = ["3bit", "4bit", "7bit"] if self.portable else ["3bit", "4bit", "8bit", "3bit/trellis"]
            every = PORTABLE_WIDTHS if self.portable else WIDTHS
            for width in (every if opset == self.structure.own_opset else some) if self.structure.quantized else ["4bit"]:
                try:
                    self.check_width(model, layers, feed, width)
                except Failure as failure:
                    raise Failure(f"opset {opset}, {failure}") from failure
        onnx.save(self.structure.model(), self.source)
        layers = self.inspect()
        return layers, self.check_pipeline(layers)


def row(structure, layers, analyzed):
    quantized = ", ".join(f"{layer['op']} `{layer['weight']}` {'x'.join(map(str, layer['shape']))}"
                          for layer in layers if layer["quantizable"])
    left = " ".join(f"`{layer['weight']}`: {layer['reason']}" for layer in layers if not layer["quantizable"])
    run = {"onnxruntime": "ONNX Runtime", "onnx": "reference evaluator", "custom": "own operators"}
    opsets = ", ".join(map(str, structure.opsets))
    return [f"`{structure.name}`", structure.description, opsets, quantized or "-", left or "-",
            run[structure.facts.get("run", "onnxruntime")] + ("" if analyzed or not structure.quantized else "; cannot be analyzed")]


HEADINGS = ["structure", "what it is", "opsets", "quantized", "left as it is, and why", "run by"]


def table(rows):
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    return "\n".join(lines + ["| " + " | ".join(cells) + " |" for cells in rows]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--driver", required=True)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--portable", action="store_true", help="portable files")
    parser.add_argument("--shard", default="1/1", help="K/N: every Nth structure, from the Kth on")
    parser.add_argument("--markdown", help="write the table into this file")
    parser.add_argument("--documented", help="fail where this page does not hold a structure's row")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    shard, shards = map(int, options.shard.split("/"))
    page = open(options.documented, encoding="utf-8").read() if options.documented else None
    rows, failures, checks = [], [], 0
    for name in (options.names or text_graphs.names())[shard - 1::shards]:
        structure = text_graphs.TextGraph(name)
        with tempfile.TemporaryDirectory() as folder:
            test = Test(structure, os.path.abspath(options.driver), os.path.abspath(options.tool), folder, options.portable)
            try:
                rows.append(row(structure, *test.run()))
                if page is not None and table([rows[-1]]).splitlines()[-1] not in page:
                    raise Failure("its row in the page differs: " + table([rows[-1]]).splitlines()[-1])
            except Failure as failure:
                failures.append(f"{name}: {failure}")
                print(f"FAILED {name}: {failure}", flush=True)
            checks += test.checks
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(table(rows))
    else:
        print(table(rows))
    print(f"{len(rows)} structures pass, {len(failures)} fail; {checks} outputs compared.")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
