// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_name.h"

#include <string_view>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumBytes = 128;
constexpr std::size_t kMadeBytes = 96;  // room for a variant and a version

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_part(std::string_view part) {
  if (part.empty() || !is_alphanumeric(part.front()) || !is_alphanumeric(part.back())) return false;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (is_alphanumeric(part[i])) continue;
    if (part[i] != '.' && part[i] != '_' && part[i] != '-') return false;
    const std::size_t length = part.substr(i).starts_with("--") ? 2 : 1;
    if (!is_alphanumeric(part[i + length])) return false;  // there is one: the last is alphanumeric
    i += length;
  }
  return true;
}

std::string shown(const std::string& text) {
  std::string safe;
  for (const char c : text.substr(0, kMaximumBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    safe += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return safe;
}

}  // namespace

std::string plain_model_name(std::string text) {
  constexpr std::string_view kHost = "registry.ollama.ai/", kNamespace = "library/", kTag = ":latest";
  if (text.starts_with(kHost)) text.erase(0, kHost.size());
  if (text.starts_with(kNamespace) && text.find('/', kNamespace.size()) == std::string::npos)
    text.erase(0, kNamespace.size());
  if (text.ends_with(kTag)) text.erase(text.size() - kTag.size());
  return text;
}

std::optional<ModelName> ModelName::try_parse(const std::string& given) {
  const std::string text = plain_model_name(given);
  if (text.size() > kMaximumBytes) return std::nullopt;
  ModelName result;
  const std::size_t at = text.find('@');
  std::string tagged = text.substr(0, at);
  if (at != std::string::npos) {
    result.version_ = text.substr(at + 1);
    if (!is_part(result.version_)) return std::nullopt;
  }
  const std::size_t colon = tagged.find(':');
  result.name_ = tagged.substr(0, colon);
  if (colon != std::string::npos) {
    result.variant_ = tagged.substr(colon + 1);
    if (!is_part(result.variant_)) return std::nullopt;
    if (result.variant_ == "latest") result.variant_.clear();
  }
  if (!is_part(result.name_)) return std::nullopt;
  return result;
}

ModelName ModelName::parse(const std::string& text) {
  if (auto name = try_parse(text)) return *name;
  throw Error(
      RH_UNSAFE_NAME,
      "model name: '" + shown(text) +
          "' is not a model name, expected NAME[:VARIANT][@VERSION] of letters and digits, joined by single "
          ". _ or -, at most 128 bytes",
      "give it a plain name, such as castle or castle:small");
}

ModelName ModelName::made_of(const std::string& text) {
  if (auto name = try_parse(text)) return *name;
  std::string plain;
  for (const char c : text) {
    if (is_alphanumeric(c)) plain += c;
    if (!is_alphanumeric(c) && !plain.empty() && plain.back() != '-') plain += '-';
    if (plain.size() == kMadeBytes) break;
  }
  while (plain.ends_with('-'))
    plain.pop_back();
  return try_parse(plain).value_or(parse("model"));
}

std::string ModelName::text() const {
  return name_ + (variant_.empty() ? "" : ":" + variant_) + (version_.empty() ? "" : "@" + version_);
}

}  // namespace roundhouse::host
