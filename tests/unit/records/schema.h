#pragma once

#include <map>
#include <string>
#include <vector>

#include "records/json_writer.h"

namespace mpq {

/// As much of JSON Schema (draft 2020-12) as the shipped schemas use, strict where a test should be: an undescribed key
/// is a problem although the schemas let it pass, and so is a keyword that is not known here.
class SchemaChecker {
 public:
  /// Loads FOLDER/NAME.schema.json for every name.
  SchemaChecker(const std::string& folder, const std::vector<std::string>& names);

  /// Everything in `record` that the schema `name` does not allow or does not describe; empty when it is valid.
  std::vector<std::string> problems(const std::string& name, const Json& record) const;

  /// Everything that is wrong with the schemas themselves: properties without a description, required keys that are no
  /// properties, references to nothing.
  std::vector<std::string> flaws() const;

  /// Properties of all schemas that no record given to problems() had, as "SCHEMA#/path"; *_reason keys left out.
  std::vector<std::string> unseen() const;

 private:
  struct Place {
    const Json* root;
    const Json* schema;
  };
  Place resolve(const Place& place, const std::string& reference) const;
  void check(const Place& place, const Json& value, const std::string& path, std::vector<std::string>& out) const;
  void check_object(const Place& place, const Json& value, const std::string& path,
                    std::vector<std::string>& out) const;
  void check_bounds(const Json& schema, const Json& value, const std::string& path,
                    std::vector<std::string>& out) const;
  void find_flaws(const Place& place, const std::string& path, std::vector<std::string>& out) const;

  std::map<std::string, Json> by_id_;
  mutable std::map<const Json*, bool> seen_;  ///< property schema -> a record had it
};

}  // namespace mpq
