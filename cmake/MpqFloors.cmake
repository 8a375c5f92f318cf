# A floor is one folder of src/. Each is compiled once (mpq_<floor>_objects); mpq_<floor> is the same as a static
# library for unit tests, which see internals; libmpq is made of all the floors' objects.
#   mpq_floor(graph USES support records LINKS ONNX::onnx SOURCES load.cpp ...)
function(mpq_floor name)
  cmake_parse_arguments(F "" "" "USES;LINKS;SOURCES" ${ARGN})
  list(TRANSFORM F_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  add_library(mpq_${name}_objects OBJECT ${F_SOURCES})
  target_include_directories(mpq_${name}_objects PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
  target_link_libraries(mpq_${name}_objects PUBLIC ${F_LINKS} mpq_sanitizers Threads::Threads PRIVATE mpq_warnings)
  add_library(mpq_${name} STATIC $<TARGET_OBJECTS:mpq_${name}_objects>)
  target_include_directories(mpq_${name} PUBLIC
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
  target_link_libraries(mpq_${name} PUBLIC ${F_LINKS} mpq_sanitizers Threads::Threads)
  foreach(used IN LISTS F_USES)
    target_link_libraries(mpq_${name} PUBLIC mpq_${used})
    # Headers of the floors below may name their third-party types.
    get_target_property(links mpq_${used}_objects INTERFACE_LINK_LIBRARIES)
    if(links)
      target_link_libraries(mpq_${name}_objects PUBLIC ${links})
    endif()
  endforeach()
  mpq_use_precompiled_of_floor(mpq_${name}_objects ${name} mpq_library_headers)
  set_property(GLOBAL APPEND PROPERTY MPQ_FLOORS ${name})
endfunction()

# What the floors read most; ONNX's classes take half a second per file.
mpq_precompiled(mpq_library_headers KIND library HEADERS ${MPQ_STANDARD_HEADERS})
mpq_precompiled(mpq_library_headers_onnx KIND library LINKS ONNX::onnx HEADERS ${MPQ_STANDARD_HEADERS} <onnx/onnx_pb.h>)
