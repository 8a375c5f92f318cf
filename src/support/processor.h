#pragma once

#include <string>

namespace mpq {

/// The value of the first line "key : value" of /proc/cpuinfo; empty where there is none.
std::string cpu_fact(const std::string& key);

/// The processor as the system calls it; empty where it does not say.
std::string cpu_name();

/// Whether a processor with these flags (cpu_fact("flags"), which ARM has under another name) is one of x86 without
/// VNNI: int8 products are added there in pairs of 16 bits, which overflow for weights of 8 bits.
bool overflows_int8_products(const std::string& flags);

}  // namespace mpq
