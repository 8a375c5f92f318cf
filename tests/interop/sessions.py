"""ONNX Runtime sessions of models in memory."""
import onnxruntime

onnxruntime.set_default_logger_severity(4)


def saturates():
    """Whether int8 kernels add pairs of products in 16 bits here, as on x86 without VNNI: weights of 8 bits overflow."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        flags = next((line for line in file if line.startswith("flags")), None)
    return flags is not None and "vnni" not in flags


# The widest weights whose products are right on this processor.
WIDEST = 7 if saturates() else 8


def session(model, level=99, dump=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    options.intra_op_num_threads = 1
    if dump:
        options.optimized_model_filepath = dump
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
