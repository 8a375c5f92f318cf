#pragma once

#include <exception>
#include <string>

#include <onnxruntime_cxx_api.h>

#include "mpq/error.h"

namespace mpq::runtime {

/// ONNX Runtime's message without its scaffolding: status prefixes, source positions, C++ signatures, stack traces.
std::string clean_message(const std::string& message);

/// The class of a runtime failure: kUnsupported for a missing operator, kernel or memory, else kInvalidInput.
ErrorCode classify(OrtErrorCode code, const std::string& message);

/// One whole sentence out of `what_failed` ("ONNX Runtime cannot load the model") and the runtime's own words.
Error translate(const Ort::Exception& failure, const std::string& what_failed, const std::string& where);

}  // namespace mpq::runtime
