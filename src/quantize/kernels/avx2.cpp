#include "quantize/kernels/kernels.h"

#ifdef MPQ_KERNELS_X86
#include <immintrin.h>

#define MPQ_KERNEL_NAME kAvx2
#define MPQ_KERNEL_TEXT "AVX2"
#define MPQ_KERNEL_BYTES 32
#define MPQ_KERNEL_ROWS 6
#define MPQ_MULTIPLY_ADD(number, vector, sum) _mm256_fmadd_ps(_mm256_set1_ps(number), vector, sum)
#include "quantize/kernels/body.h"
#endif
