"""A writer of ONNX files, byte by byte: the protobuf wire format and the few messages the fixtures need.

It shares no code with the loader under test, and it can write what no library would.
Field numbers: onnx.proto3.
"""
import struct

FLOAT, INT64, STRING, FLOAT16 = 1, 7, 8, 10


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def chunk(field, payload):
    if isinstance(payload, str):
        payload = payload.encode()
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


def tensor(name, shape, raw, data_type=FLOAT, external=None):
    body = b"".join(number(1, d) for d in shape) + number(2, data_type) + chunk(8, name)
    if external is None:
        return body + chunk(9, raw)
    entries = b"".join(chunk(13, chunk(1, k) + chunk(2, v)) for k, v in external.items())
    return body + entries + number(14, 1)


def attribute(name, value):
    body = chunk(1, name)
    if isinstance(value, list):
        return body + b"".join(number(8, v) for v in value) + number(20, 7)
    if isinstance(value, int):
        return body + number(3, value) + number(20, 2)
    return body + value


def graph_attribute(name, graph_bytes):
    return chunk(1, name) + chunk(6, graph_bytes) + number(20, 5)


def tensor_attribute(name, tensor_bytes):
    return chunk(1, name) + chunk(5, tensor_bytes) + number(20, 4)


def text_attribute(name, text):
    return chunk(1, name) + chunk(4, text) + number(20, 3)


def node(op, inputs, outputs, name="", domain="", **attributes):
    body = b"".join(chunk(1, i) for i in inputs) + b"".join(chunk(2, o) for o in outputs)
    if name:
        body += chunk(3, name)
    body += chunk(4, op)
    body += b"".join(chunk(5, v if isinstance(v, bytes) else attribute(k, v)) for k, v in attributes.items())
    return body + (chunk(7, domain) if domain else b"")


def value(name, shape, data_type=FLOAT):
    dims = b"".join(chunk(1, chunk(2, d) if isinstance(d, str) else number(1, d)) for d in shape)
    return chunk(1, name) + chunk(2, chunk(1, number(1, data_type) + chunk(2, dims)))


def graph(nodes, inputs, outputs, initializers=(), name="g"):
    return (b"".join(chunk(1, n) for n in nodes) + chunk(2, name) + b"".join(chunk(5, t) for t in initializers) +
            b"".join(chunk(11, v) for v in inputs) + b"".join(chunk(12, v) for v in outputs))


def model(graph_bytes, opset=13, ir=7, imports=None):
    if imports is None:
        imports = [("", opset)]
    return (number(1, ir) + chunk(2, "fixtures") + chunk(7, graph_bytes) +
            b"".join(chunk(8, (chunk(1, d) if d else b"") + number(2, v)) for d, v in imports))


def npy(shape, raw, descr="<f4", fortran=False):
    extents = "(" + "".join(f"{d}, " for d in shape).rstrip() + ")" if shape else "()"
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {extents}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + raw
