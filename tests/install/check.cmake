# Run by ctest: install, configure and build the consumer, run it and the installed tool.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${ARGV}\nexited with ${code}:\n${out}")
  endif()
  set(output "${out}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE "${WORK}")
run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
# Only mpq's own include folder is offered: a public header that needs another library's header does not compile.
run(${CMAKE_COMMAND} -S "${SOURCE}" -B "${WORK}/build" -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_BUILD_TYPE=${CONFIG})
run(${CMAKE_COMMAND} --build "${WORK}/build")
run("${WORK}/build/consumer" "${MODEL}")
if(NOT output MATCHES "layers")
  message(FATAL_ERROR "the consumer printed: ${output}")
endif()
run("${WORK}/prefix/bin/mpq" --version)
