#pragma once

#include <map>
#include <string>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "mpq/mpq.h"

/// ONNX Runtime as its users have it: one session of the whole model.
struct Rival {
  Ort::Session session{nullptr};
  std::vector<std::string> inputs, outputs;

  Rival(const std::string& path, int intra, int inter, bool parallel) {
    static Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "rival");
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(intra);
    options.SetInterOpNumThreads(inter);
    options.SetExecutionMode(parallel ? ORT_PARALLEL : ORT_SEQUENTIAL);
    session = Ort::Session(env, path.c_str(), options);
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session.GetInputCount(); ++i)
      inputs.emplace_back(session.GetInputNameAllocated(i, allocator).get());
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i)
      outputs.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
  }

  void run(const mpq::Feed& feed) {
    static const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    static const std::map<mpq::DType, ONNXTensorElementDataType> types = {
        {mpq::DType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
        {mpq::DType::kInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
        {mpq::DType::kInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
        {mpq::DType::kUInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8}};
    std::vector<const char*> input_names, output_names;
    std::vector<Ort::Value> values;
    for (const std::string& name : inputs) {
      const mpq::Tensor& tensor = feed.at(name);
      values.push_back(Ort::Value::CreateTensor(memory, const_cast<std::byte*>(tensor.data()), tensor.size_bytes(),
                                                tensor.shape().data(), tensor.shape().size(), types.at(tensor.type())));
      input_names.push_back(name.c_str());
    }
    for (const std::string& name : outputs) output_names.push_back(name.c_str());
    session.Run(Ort::RunOptions{nullptr}, input_names.data(), values.data(), values.size(), output_names.data(),
                output_names.size());
  }
};
