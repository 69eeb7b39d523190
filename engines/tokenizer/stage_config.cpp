// SPDX-License-Identifier: Apache-2.0
// Fields of a component that Config has no reader for.
#include "engines/tokenizer/stage_config.h"

#include "engines/tokenizer/unicode.h"

namespace engines {

std::vector<StageConfig> StageConfig::parts(const std::string& field) const {
  std::vector<StageConfig> elements;
  const nlohmann::json* const list = value(field);
  if (list == nullptr) return elements;
  if (!list->is_array()) fail(field, fmt::format("{} is not an array", brief(*list)));
  for (const auto& element : *list)
    elements.emplace_back(element, fmt::format("{}: {}: element {}", shown(), field, elements.size()));
  return elements;
}

const nlohmann::json* StageConfig::value(const std::string& field) const {
  const auto place = tree_.find(field);
  return place == tree_.end() || place->is_null() ? nullptr : &*place;
}

std::string StageConfig::character(const std::string& field) const {
  std::string written = text(field);
  if (written.empty() || unicode::decode_first(written).bytes != written.size())
    fail(field, fmt::format("{} is not one character", in_quotes(written)));
  return written;
}

}  // namespace engines
