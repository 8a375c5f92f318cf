#include "support/processor.h"

#include <fstream>

namespace mpq {

std::string cpu_fact(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    const std::size_t begin = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
    if (begin != std::string::npos) return line.substr(begin);
  }
  return "";
}

std::string cpu_name() {
  for (const char* key : {"model name", "Model", "CPU part"}) {  // x86; some ARM boards; other ARM
    const std::string name = cpu_fact(key);
    if (!name.empty()) return name;
  }
  return {};
}

bool overflows_int8_products(const std::string& flags) {
  return !flags.empty() && flags.find("vnni") == std::string::npos;
}

}  // namespace mpq
