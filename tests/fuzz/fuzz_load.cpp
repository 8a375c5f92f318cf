#include <cstddef>
#include <cstdint>

#include "load_bytes.h"

// libFuzzer's entry point: any crash, hang or foreign exception is a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const mpq::fuzz::ScratchFolder folder;
  mpq::fuzz::load_bytes({reinterpret_cast<const char*>(data), size}, folder);
  return 0;
}
