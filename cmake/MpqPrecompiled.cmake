# The standard library's headers, read once per kind of target instead of once per file. Every file still includes what
# it uses: scripts/check-includes looks at that, and -DMPQ_PRECOMPILE=OFF compiles each file alone.
option(MPQ_PRECOMPILE "Precompile the headers that most files include" ON)

set(MPQ_STANDARD_HEADERS
  <algorithm> <array> <chrono> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional> <limits> <map> <memory>
  <mutex> <numeric> <optional> <random> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map>
  <unordered_set> <utility> <vector>)

# mpq_precompiled(NAME KIND library|program LINKS ... HEADERS ...): headers that targets with the same flags take over with
# mpq_use_precompiled(TARGET NAME).
function(mpq_precompiled name)
  cmake_parse_arguments(P "" "KIND" "LINKS;HEADERS" ${ARGN})
  if(NOT MPQ_PRECOMPILE)
    return()
  endif()
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/generated/${name}.cpp" CONTENT "")
  add_library(${name} OBJECT EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/generated/${name}.cpp")
  target_link_libraries(${name} PRIVATE mpq_sanitizers mpq_warnings Threads::Threads ${P_LINKS})
  target_precompile_headers(${name} PRIVATE ${P_HEADERS})
  if(P_KIND STREQUAL "program")  # GCC takes headers only with the same kind of position independence.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE ${CMAKE_CXX_COMPILE_OPTIONS_PIE})
  endif()
endfunction()

function(mpq_use_precompiled target name)
  if(MPQ_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

# mpq_use_precompiled_of_floor(TARGET FLOOR NAME): the headers NAME, or NAME_onnx, which hold ONNX's classes too, where the
# floor links them.
function(mpq_use_precompiled_of_floor target floor name)
  get_target_property(links mpq_${floor}_objects LINK_LIBRARIES)
  if("ONNX::onnx" IN_LIST links)
    string(APPEND name _onnx)
  endif()
  mpq_use_precompiled(${target} ${name})
endfunction()
