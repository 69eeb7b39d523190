// SPDX-License-Identifier: Apache-2.0
// One object of tokenizer.json that says its kind in the field `type`, and the tables from kinds to makers.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engines/weights/config.h"
#include "engines/weights/json_file.h"

namespace engines {

class StageConfig : public Config {
 public:
  // MODEL_INVALID unless `tree` is an object.
  StageConfig(const nlohmann::json& tree, std::string shown) : Config(tree, std::move(shown)), tree_(tree) {}

  // The objects of an array, empty where the field is absent.
  std::vector<StageConfig> parts(const std::string& field) const;
  // The value as it is, or null where it is absent.
  const nlohmann::json* value(const std::string& field) const;
  // A text of one character.
  std::string character(const std::string& field) const;

 private:
  nlohmann::json tree_;
};

template <class Made>
struct StageKind {
  std::string_view type;
  Made (*make)(const StageConfig&);
};

// What the maker of the component's type makes of it. MODEL_INVALID names the types there are.
template <class Made, std::size_t count>
Made make_of_kind(const StageConfig& component, const StageKind<Made> (&kinds)[count]) {
  const std::string type = component.text("type");
  std::string known;
  for (const auto& kind : kinds) {
    if (kind.type == type) return kind.make(component);
    known += fmt::format("{}'{}'", known.empty() ? "" : ", ", kind.type);
  }
  component.fail("type", fmt::format("{} is not supported, expected one of {}", in_quotes(type), known));
}

}  // namespace engines
