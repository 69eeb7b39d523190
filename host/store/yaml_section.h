// SPDX-License-Identifier: Apache-2.0
// Reading YAML mappings with problems by line and field.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

using Problems = std::vector<Error>;

// One mapping of the file; every member is asked for by name, and what nobody asked for is a problem. What is
// wrong is noted, and reading goes on as if it were absent.
class YamlSection {
 public:
  // `where` is the field that the mapping is; empty for the file. `problems` outlives the section.
  YamlSection(const YAML::Node& node, std::string where, std::string file, Problems& problems);

  YAML::Node child(const std::string& key);
  // A mapping within; none when there is none.
  std::optional<YamlSection> section(const std::string& key);
  // Its members, each a mapping, in the order of the file.
  std::vector<std::pair<std::string, YamlSection>> sections();

  std::optional<std::string> text(const std::string& key);
  std::string text_or_empty(const std::string& key) { return text(key).value_or(""); }
  std::string required_text(const std::string& key);
  std::string choice(const std::string& key, const std::vector<std::string>& choices);
  std::vector<std::string> texts(const std::string& key);
  // true or false.
  std::optional<bool> boolean(const std::string& key);
  std::optional<double> number(const std::string& key, double low, double high);
  std::optional<std::uint32_t> count(const std::string& key, std::uint32_t low, std::uint32_t high);
  // A number of bytes: 1000, 20GB, 16GiB.
  std::optional<std::uint64_t> bytes(const std::string& key);

  void note_unknown();
  void note(const YAML::Node& node, const std::string& field, const std::string& what);

 private:
  std::string path(const std::string& key) const { return where_.empty() ? key : where_ + "." + key; }

  YAML::Node node_;
  std::string where_, file_;
  Problems& problems_;
  std::set<std::string> known_;
};

}  // namespace roundhouse::host
