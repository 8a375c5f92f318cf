# Finds every dependency: an installed copy first, else what scripts/bootstrap brought.
#   -DONNXRUNTIME_ROOT=DIR  an ONNX Runtime with include/ and lib/
#   -DMPQ_DEPS_DIR=DIR      the folder scripts/bootstrap filled (default: .deps in the repository, or $MPQ_DEPS_DIR)
if(NOT MPQ_DEPS_DIR)
  if(DEFINED ENV{MPQ_DEPS_DIR})
    set(MPQ_DEPS_DIR "$ENV{MPQ_DEPS_DIR}")
  else()
    set(MPQ_DEPS_DIR "${PROJECT_SOURCE_DIR}/.deps")
  endif()
endif()

find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)

# ONNX's package asks for Protobuf in CONFIG mode, which Debian does not ship; ours defers to CMake's own module.
if(NOT Protobuf_DIR)
  set(Protobuf_DIR "${PROJECT_SOURCE_DIR}/cmake/protobuf")
endif()
find_package(Protobuf CONFIG REQUIRED)
find_package(ONNX 1.19 CONFIG QUIET)
if(NOT ONNX_FOUND)
  find_package(ONNX CONFIG QUIET PATHS "${MPQ_DEPS_DIR}/onnx" NO_DEFAULT_PATH)
endif()
if(NOT ONNX_FOUND)
  message(FATAL_ERROR "ONNX was not found in the system or in ${MPQ_DEPS_DIR}; run scripts/bootstrap first.")
endif()

find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_cxx_api.h
          HINTS "${ONNXRUNTIME_ROOT}/include" PATH_SUFFIXES onnxruntime onnxruntime/core/session)
find_library(ONNXRUNTIME_LIBRARY onnxruntime HINTS "${ONNXRUNTIME_ROOT}/lib")
if(NOT ONNXRUNTIME_INCLUDE_DIR OR NOT ONNXRUNTIME_LIBRARY)
  find_path(ONNXRUNTIME_INCLUDE_DIR onnxruntime_cxx_api.h PATHS "${MPQ_DEPS_DIR}/onnxruntime/include" NO_DEFAULT_PATH)
  find_library(ONNXRUNTIME_LIBRARY onnxruntime PATHS "${MPQ_DEPS_DIR}/onnxruntime/lib" NO_DEFAULT_PATH)
endif()
if(NOT ONNXRUNTIME_INCLUDE_DIR OR NOT ONNXRUNTIME_LIBRARY)
  message(FATAL_ERROR "ONNX Runtime was not found; run scripts/bootstrap first or give -DONNXRUNTIME_ROOT=.")
endif()
add_library(onnxruntime::onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime::onnxruntime PROPERTIES
  IMPORTED_LOCATION "${ONNXRUNTIME_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${ONNXRUNTIME_INCLUDE_DIR}")
