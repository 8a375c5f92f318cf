# -DMPQ_SANITIZE=address,undefined (or thread) instruments everything we build.
add_library(mpq_sanitizers INTERFACE)
if(MPQ_SANITIZE)
  target_compile_options(mpq_sanitizers INTERFACE -fsanitize=${MPQ_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(mpq_sanitizers INTERFACE -fsanitize=${MPQ_SANITIZE})
  if(MPQ_SANITIZE MATCHES "undefined")
    # Left out: what AddressSanitizer finds too (null, object-size) or what costs nothing here (alignment, vptr). They
    # take a fifth of the compile time.
    target_compile_options(mpq_sanitizers INTERFACE -fno-sanitize-recover=all
                           -fno-sanitize=null,object-size,alignment,vptr)
  endif()
endif()

# mpq_computes(FLOOR...): floors whose tests compute for long; they are optimised in sanitized builds too, which are -O0.
function(mpq_computes)
  if(MPQ_SANITIZE)
    foreach(floor IN LISTS ARGN)
      target_compile_options(mpq_${floor}_objects PRIVATE -O1)
      set_target_properties(mpq_${floor}_objects PROPERTIES DISABLE_PRECOMPILE_HEADERS ON)
    endforeach()
  endif()
endfunction()
