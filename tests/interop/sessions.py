"""ONNX Runtime sessions of models in memory."""
import onnxruntime

onnxruntime.set_default_logger_severity(4)


def session(model, level=99, dump=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    options.intra_op_num_threads = 1
    if dump:
        options.optimized_model_filepath = dump
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
