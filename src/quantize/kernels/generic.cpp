#define MPQ_KERNEL_NAME kGeneric
#define MPQ_KERNEL_TEXT "generic"
#define MPQ_KERNEL_BYTES 16
#define MPQ_KERNEL_ROWS 4
#include "quantize/kernels/body.h"
