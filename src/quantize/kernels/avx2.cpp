#include "quantize/kernels/kernels.h"

#ifdef MPQ_KERNELS_X86
#define MPQ_KERNEL_NAME kAvx2
#define MPQ_KERNEL_TEXT "AVX2"
#define MPQ_KERNEL_BYTES 32
#define MPQ_KERNEL_ROWS 6
#include "quantize/kernels/body.h"
#endif
