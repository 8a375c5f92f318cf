#include "quantize/kernels/kernels.h"

#ifdef MPQ_KERNELS_X86
#include <immintrin.h>

#define MPQ_KERNEL_NAME kAvx512
#define MPQ_KERNEL_TEXT "AVX-512"
#define MPQ_KERNEL_BYTES 64
#define MPQ_KERNEL_ROWS 12
#define MPQ_MULTIPLY_ADD(number, vector, sum) _mm512_fmadd_ps(_mm512_set1_ps(number), vector, sum)
#include "quantize/kernels/body.h"
#endif
