# Warnings for our own code; third-party headers are system headers.
add_library(mpq_warnings INTERFACE)
target_compile_options(mpq_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -Wimplicit-fallthrough -Wextra-semi
  $<$<BOOL:${MPQ_WARNINGS_AS_ERRORS}>:-Werror>)
# GCC 12 warns falsely inside optimised std::string code (its bugs 105329, 105651, 105562); the sanitizers look instead.
# With precompiled headers the first of them has two more names.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(mpq_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized
    "$<$<BOOL:${MPQ_PRECOMPILE}>:-Wno-stringop-overflow;-Wno-array-bounds>")
endif()
