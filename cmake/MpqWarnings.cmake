# Warnings for our own code; third-party headers are system headers.
add_library(mpq_warnings INTERFACE)
target_compile_options(mpq_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Wextra-semi
  $<$<BOOL:${MPQ_WARNINGS_AS_ERRORS}>:-Werror>)
