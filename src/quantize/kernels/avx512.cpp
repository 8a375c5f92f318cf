#include "quantize/kernels/kernels.h"

#ifdef MPQ_KERNELS_X86
#define MPQ_KERNEL_NAME kAvx512
#define MPQ_KERNEL_TEXT "AVX-512"
#define MPQ_KERNEL_BYTES 64
#define MPQ_KERNEL_ROWS 12
#include "quantize/kernels/body.h"
#endif
