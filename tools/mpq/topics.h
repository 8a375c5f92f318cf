#pragma once

#include <span>
#include <string>

namespace mpq::cli {

/// What `mpq help TOPIC` explains.
struct Topic {
  const char* name;
  const char* summary;
  const char* text;
};

std::span<const Topic> topic_table();
/// Null when there is none of that name.
const Topic* find_topic(const std::string& name);
std::string topic_help(const Topic& topic);

}  // namespace mpq::cli
