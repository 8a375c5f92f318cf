#include "support/processor.h"

#include <gtest/gtest.h>

namespace mpq {
namespace {

TEST(Processor, X86WithoutVnniOverflowsInt8Products) {
  EXPECT_TRUE(overflows_int8_products("fpu sse2 avx avx2 fma"));
  EXPECT_FALSE(overflows_int8_products("fpu avx2 avx512f avx512_vnni"));
  EXPECT_FALSE(overflows_int8_products("fpu avx2 avx_vnni"));
  EXPECT_FALSE(overflows_int8_products("")) << "ARM calls its flags otherwise";
}

}  // namespace
}  // namespace mpq
