// SPDX-License-Identifier: Apache-2.0
#include "host/server/model_selector.h"

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr char kMark = '+';

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace

ModelSelector parse_model_selector(const std::string& text, const std::string& field) {
  const std::size_t slash = text.rfind('/');
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t mark = text.find(kMark, begin);
  if (mark == std::string::npos) return {unless_empty(text), std::nullopt};
  if (mark + 1 == text.size() || text.find(kMark, mark + 1) != std::string::npos) {
    throw Error(RH_INVALID_ARGUMENT,
                field + ": '" + text + "' names no engine after '+', expected MODEL or MODEL+ENGINE");
  }
  return {unless_empty(text.substr(0, mark)), text.substr(mark + 1)};
}

std::string model_selector(const std::string& model, const std::string& engine) {
  return engine.empty() ? model : model + kMark + engine;
}

}  // namespace roundhouse::host
