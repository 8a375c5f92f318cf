"""Reads what mpq wrote, in NumPy and without mpq: packed planes, scales and attributes back to float weights.

Follows the layout in words: of the n weights (padded to a multiple of 8) the planes stand one after the other, high
bits first; in a plane of p bits, m = n p / 8 bytes long, byte j holds elements j, j + m, j + 2m, ... from its low bits up.
"""

import re

import numpy as np
from onnx import helper, numpy_helper

PLANES = {2: [2], 3: [2, 1], 4: [4], 5: [4, 1], 6: [4, 2], 7: [4, 2, 1], 8: [8]}


def unpack(packed, bits, count):
    padded = (count + 7) // 8 * 8
    values = np.zeros(padded, np.int64)
    offset = 0
    for width in PLANES[bits]:
        length = padded * width // 8
        plane = packed[offset:offset + length].astype(np.int64)
        offset += length
        digits = np.concatenate([(plane >> (k * width)) & ((1 << width) - 1) for k in range(8 // width)])
        values = (values << width) | digits
    assert offset == packed.size, "bytes left over"
    return values[:count] - (1 << (bits - 1))


def number(attribute):
    value = helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if attribute.type == attribute.TENSOR else np.array(value)


def rows_of_widths(node, tensors, widths, attributes):
    """Rows of several widths put together: [rows, row length], in the order the file says."""
    count, length = int(attributes["rows"][0]), int(attributes["row"][1])
    classes = unpack(numpy_helper.to_array(tensors[node.input[len(widths) + 1]]), 2, count) + 2
    result = np.zeros((count, length), np.int64)
    for place, bits in enumerate(widths):
        rows = np.flatnonzero(classes == place)
        packed = numpy_helper.to_array(tensors[node.input[place]])
        result[rows] = unpack(packed, bits, rows.size * length).reshape(rows.size, length)
    return in_shape(result, attributes)


def trellis(packed, bits, entries, count):
    """The numbers of a trellis, step by step: eight strands, each from path bits 0; entry 4 upper + 2 (u0 ^ u2 ^ u5) + u3."""
    assert entries.dtype == np.int8 and entries.shape == (2, 1, 1 << (bits - 1), 2)
    entries = entries.transpose(2, 3, 0, 1).ravel()  # stored by u3, upper, parity
    assert np.all(np.diff(entries.astype(int)) > 0)
    strand = (count + 7) // 8
    codes = unpack(packed, bits, 8 * strand) + (1 << (bits - 1))
    path, upper = codes & 1, codes >> 1
    result = np.zeros(8 * strand, np.int64)
    for begin in range(0, 8 * strand, strand):
        before = [0] * 5
        for place in range(begin, begin + strand):
            step = int(path[place])
            result[place] = entries[4 * upper[place] + 2 * (step ^ before[1] ^ before[4]) + before[2]]
            before = [step] + before[:4]
    return result[:count]


def in_shape(values, attributes):
    if "shape" in attributes:
        return values.reshape([int(e) for e in attributes["shape"]])
    return values.reshape([int(e) for e in attributes["turned"]]).transpose([int(e) for e in attributes["perm"]])


class StoredWeight:
    """One function node (or a Cast of halves) and the weight it stands for."""

    def __init__(self, node, tensors):
        self.name = node.output[0]
        self.layer = int(re.match(r"w(\d+)\.", node.input[0]).group(1))
        self.op = node.op_type
        if node.op_type == "Cast":
            self.value = numpy_helper.to_array(tensors[node.input[0]]).astype(np.float32)
            return
        attributes = {a.name: number(a) for a in node.attribute}
        packed = numpy_helper.to_array(tensors[node.input[0]])
        widths = [int(digit) for digit in re.match(r"Unpack(\d+)bit", node.op_type).group(1)]
        scales = numpy_helper.to_array(tensors[node.input[len(widths)]])
        scales = scales.astype(np.float32) * np.float32(attributes["unit"])
        bits = widths[-1]
        if len(widths) > 1:
            values = rows_of_widths(node, tensors, widths, attributes)
            shape = values.shape
        elif packed.dtype == np.uint8:
            count = int(np.prod(attributes.get("shape", attributes.get("turned"))))
            if "Trellis" in node.op_type:
                values = trellis(packed, bits, numpy_helper.to_array(tensors[node.input[2]]), count)
            else:
                values = unpack(packed, bits, count)
            values = in_shape(values, attributes)
            shape = values.shape
        else:
            values = packed.astype(np.int64)
            shape = [int(e) for e in attributes.get("shape", values.shape)]
        if "Trellis" not in node.op_type:
            assert values.min() >= -(1 << (bits - 1)) and values.max() < 1 << (bits - 1)
        if "block" in attributes:  # scales [K / block, N]
            scales = np.repeat(scales, int(attributes["block"]), axis=0)
        elif "Blocks" in node.op_type:
            values = values.reshape([int(e) for e in attributes["view"]] if "view" in attributes else values.shape)
        product = values.astype(np.float32) * scales
        element = np.float16 if node.op_type.endswith("Half") else np.float32
        self.value = product.reshape(shape).astype(element)


def stored_weights(model):
    tensors = {t.name: t for t in model.graph.initializer}
    mine = [n for n in model.graph.node
            if (n.domain == "mpq" and n.op_type.startswith("Unpack")) or (n.op_type == "Cast" and re.match(r"w\d+\.h", n.input[0]))]
    return [StoredWeight(node, tensors) for node in mine]
