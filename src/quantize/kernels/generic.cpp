#define MPQ_KERNEL_NAME kGeneric
#define MPQ_KERNEL_TEXT "generic"
#define MPQ_KERNEL_BYTES 16
#define MPQ_KERNEL_ROWS 4
#define MPQ_MULTIPLY_ADD(number, vector, sum) ((number) * (vector) + (sum))
#include "quantize/kernels/body.h"
