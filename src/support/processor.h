#pragma once

#include <string>

namespace mpq {

/// The value of the first line "key : value" of /proc/cpuinfo; empty where there is none.
std::string cpu_fact(const std::string& key);

/// The processor as the system calls it; empty where it does not say.
std::string cpu_name();

}  // namespace mpq
