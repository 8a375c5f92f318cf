#include "schema.h"

#include <algorithm>
#include <set>

#include "support/files.h"

namespace mpq {
namespace {

const std::set<std::string> kKnownKeywords = {
    "$schema",  "$id",   "$defs",   "$ref",    "title",      "description",
    "$comment", "type",  "const",   "enum",    "properties", "required",
    "items",    "anyOf", "minimum", "maximum", "minItems",   "additionalProperties"};

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

bool has_one_of_types(const Json& value, const Json& types) {
  if (types.is_string()) return has_type(value, types.get<std::string>());
  return std::any_of(types.begin(), types.end(), [&](const Json& t) { return has_type(value, t.get<std::string>()); });
}

bool is_reason(const std::string& key) { return key.ends_with("_reason") && key != "skip_reason"; }

}  // namespace

SchemaChecker::SchemaChecker(const std::string& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Json schema = Json::parse(read_text(folder + "/" + name + ".schema.json"));
    by_id_["urn:mpq:schema:" + name + ":1"] = std::move(schema);
  }
}

SchemaChecker::Place SchemaChecker::resolve(const Place& place, const std::string& reference) const {
  const std::size_t hash = reference.find('#');
  const std::string id = reference.substr(0, hash);
  const Json* root = id.empty() ? place.root : &by_id_.at(id);
  if (hash == std::string::npos) return {root, root};
  return {root, &root->at(Json::json_pointer(reference.substr(hash + 1)))};
}

void SchemaChecker::check_bounds(const Json& schema, const Json& value, const std::string& path,
                                 std::vector<std::string>& out) const {
  if (schema.contains("const") && value != schema["const"]) out.push_back(path + " is not " + schema["const"].dump());
  if (schema.contains("enum") && std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end())
    out.push_back(path + " is none of " + schema["enum"].dump());
  if (!value.is_number()) return;
  if (schema.contains("minimum") && value < schema["minimum"]) out.push_back(path + " is too small");
  if (schema.contains("maximum") && value > schema["maximum"]) out.push_back(path + " is too large");
}

void SchemaChecker::check_object(const Place& place, const Json& value, const std::string& path,
                                 std::vector<std::string>& out) const {
  const Json& schema = *place.schema;
  if (schema.contains("required")) {
    for (const Json& key : schema["required"]) {
      if (!value.contains(key.get<std::string>())) out.push_back(path + " lacks " + key.get<std::string>());
    }
  }
  for (const auto& [key, child] : value.items()) {
    if (schema.contains("properties") && schema["properties"].contains(key)) {
      const Json& property = schema["properties"][key];
      seen_[&property] = true;
      check({place.root, &property}, child, path + "/" + key, out);
    } else if (schema.contains("additionalProperties")) {
      check({place.root, &schema["additionalProperties"]}, child, path + "/" + key, out);
    } else {
      out.push_back(path + "/" + key + " is not described");
    }
  }
}

void SchemaChecker::check(const Place& place, const Json& value, const std::string& path,
                          std::vector<std::string>& out) const {
  const Json& schema = *place.schema;
  for (const auto& [keyword, ignored] : schema.items()) {
    if (!kKnownKeywords.contains(keyword)) out.push_back("the keyword " + keyword + " is not known to this checker");
  }
  if (schema.contains("$ref")) check(resolve(place, schema["$ref"].get<std::string>()), value, path, out);
  if (schema.contains("anyOf")) {
    // A null takes the branch for null, everything else the first one: what the shipped schemas mean by it.
    const bool fits = std::any_of(schema["anyOf"].begin(), schema["anyOf"].end(), [&](const Json& branch) {
      std::vector<std::string> problems;
      check({place.root, &branch}, value, path, problems);
      return problems.empty();
    });
    if (!fits && value.is_null()) out.push_back(path + " may not be null");
    if (!fits && !value.is_null()) check({place.root, &schema["anyOf"][0]}, value, path, out);
  }
  if (schema.contains("type") && !has_one_of_types(value, schema["type"]))
    out.push_back(path + " is no " + schema["type"].dump());
  check_bounds(schema, value, path, out);
  const bool describes_object = schema.contains("properties") || schema.contains("additionalProperties");
  if (value.is_object() && describes_object) check_object(place, value, path, out);
  if (!value.is_array()) return;
  if (schema.contains("minItems") && value.size() < schema["minItems"]) out.push_back(path + " has too few elements");
  if (!schema.contains("items")) return;
  for (std::size_t i = 0; i < value.size(); ++i)
    check({place.root, &schema["items"]}, value[i], path + "/" + std::to_string(i), out);
}

std::vector<std::string> SchemaChecker::problems(const std::string& name, const Json& record) const {
  const Json& schema = by_id_.at("urn:mpq:schema:" + name + ":1");
  std::vector<std::string> out;
  check({&schema, &schema}, record, "", out);
  return out;
}

void SchemaChecker::find_flaws(const Place& place, const std::string& path, std::vector<std::string>& out) const {
  const Json& schema = *place.schema;
  if (schema.contains("$ref")) {
    try {
      resolve(place, schema["$ref"].get<std::string>());
    } catch (const std::exception&) {
      out.push_back(path + " refers to nothing: " + schema["$ref"].get<std::string>());
    }
  }
  const Json properties = schema.value("properties", Json::object());
  for (const Json& key : schema.value("required", Json::array())) {
    if (!properties.contains(key.get<std::string>())) out.push_back(path + " requires the undescribed " + key.dump());
  }
  for (const auto& [key, property] : properties.items()) {
    if (property.value("description", "").empty()) out.push_back(path + "/" + key + " has no description");
    const bool required = schema.contains("required") && std::find(schema["required"].begin(), schema["required"].end(),
                                                                   key) != schema["required"].end();
    // Keys younger than the schema version say so: older records lack them and stay valid.
    const bool younger = property.contains("$comment");
    if (required == younger && !is_reason(key))
      out.push_back(path + "/" + key +
                    (younger ? " is younger than the schema and must not be required"
                             : " is always written and so must be required"));
    find_flaws({place.root, &schema["properties"][key]}, path + "/" + key, out);
  }
  for (const std::string list : {"anyOf"}) {
    if (!schema.contains(list)) continue;
    for (const Json& branch : schema[list]) find_flaws({place.root, &branch}, path + "/" + list, out);
  }
  for (const std::string one : {"items", "additionalProperties"}) {
    if (schema.contains(one)) find_flaws({place.root, &schema[one]}, path + "/" + one, out);
  }
  if (!schema.contains("$defs")) return;
  for (const auto& [key, definition] : schema["$defs"].items())
    find_flaws({place.root, &definition}, path + "/$defs/" + key, out);
}

std::vector<std::string> SchemaChecker::flaws() const {
  std::vector<std::string> out;
  for (const auto& [id, schema] : by_id_) {
    if (schema.value("$id", "") != id) out.push_back(id + " has another $id");
    find_flaws({&schema, &schema}, id, out);
  }
  return out;
}

std::vector<std::string> SchemaChecker::unseen() const {
  std::vector<std::string> out;
  for (const auto& [id, schema] : by_id_) {
    const Json no_definitions = Json::object();
    const Json& definitions = schema.contains("$defs") ? schema["$defs"] : no_definitions;
    const auto visit = [&, name = id](const Json& object, const std::string& path) {
      if (!object.contains("properties")) return;
      for (const auto& [key, property] : object["properties"].items()) {
        if (!seen_.contains(&property) && !is_reason(key)) out.push_back(name + path + "/" + key);
      }
    };
    visit(schema, "");
    for (const auto& [key, definition] : definitions.items()) visit(definition, "#/" + key);
  }
  return out;
}

}  // namespace mpq
