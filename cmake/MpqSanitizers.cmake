# -DMPQ_SANITIZE=address,undefined (or thread) instruments everything we build.
option(MPQ_SANITIZE_LINES "Line numbers in the sanitizers' stacks, for a seventh of the compile time" ON)
add_library(mpq_sanitizers INTERFACE)
if(MPQ_SANITIZE)
  target_compile_options(mpq_sanitizers INTERFACE -fsanitize=${MPQ_SANITIZE} -fno-omit-frame-pointer)
  if(MPQ_SANITIZE_LINES)
    target_compile_options(mpq_sanitizers INTERFACE -g1)
  endif()
  target_link_options(mpq_sanitizers INTERFACE -fsanitize=${MPQ_SANITIZE})
  if(MPQ_SANITIZE MATCHES "undefined")
    # Left out: what AddressSanitizer finds too (null, object-size) or what costs nothing here (alignment, vptr). They
    # take a fifth of the compile time.
    target_compile_options(mpq_sanitizers INTERFACE -fno-sanitize-recover=all
                           -fno-sanitize=null,object-size,alignment,vptr)
  endif()
endif()
