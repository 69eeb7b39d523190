// SPDX-License-Identifier: Apache-2.0
// Ollama's names, and what they stand for here.
#include "host/server/ollama/reference.h"

#include <vector>

#include "host/server/model_selector.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host::ollama {
namespace {

constexpr const char* kDefaultHost = "registry.ollama.ai";
constexpr const char* kDefaultNamespace = "library";
constexpr std::string_view kDefaultTag = ":latest";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

bool is_host(const std::string& part) {
  return part == "localhost" || part.find('.') != std::string::npos || part.find(':') != std::string::npos;
}

std::string joined(const std::vector<std::string>& parts, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < parts.size(); ++i)
    text += (i == from ? "" : "/") + parts[i];
  return text;
}

void refuse_unsafe(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    if (!part.empty() && part != "." && part.find("..") == std::string::npos) continue;
    throw Error(RH_UNSAFE_NAME,
                "model: '" + text + "' is not a model name, expected [HOST/][NAMESPACE/]MODEL[:TAG]");
  }
}

// "Q4_K_M", "IQ2_XS", "BF16": what clients of Ollama name a hub's GGUF by.
bool is_weight_type(const std::string& tag) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::size_t begin = tag.starts_with("UD-") ? 3 : 0;
  const std::string type = tag.substr(begin);
  if (type == "F16" || type == "BF16" || type == "F32") return true;
  const std::size_t digit = type.starts_with("IQ")                           ? 2
                            : type.starts_with("Q") || type.starts_with("q") ? 1
                                                                             : 0;
  return digit > 0 && digit < type.size() && is_digit(type[digit]);
}

// "hf.co/org/name:Q8_0" as "hf:org/name:Q8_0", "hf.co/org/name:revision" as "hf:org/name@revision".
std::string hub_source(std::string path) {
  if (const std::size_t colon = path.rfind(':');
      colon != std::string::npos && !is_weight_type(path.substr(colon + 1)))
    path[colon] = '@';
  return "hf:" + path;
}

}  // namespace

Reference parse_reference(const std::string& text) {
  if (text.empty()) throw Error(RH_INVALID_ARGUMENT, "model: is empty, expected a name");
  ModelSelector named = parse_model_selector(text);
  Reference reference;
  reference.engine = named.engine;
  std::string name = named.model.value_or("");
  if (name.empty()) return reference;
  if (name.ends_with(kDefaultTag)) name.resize(name.size() - kDefaultTag.size());
  std::vector<std::string> parts = split(name);
  refuse_unsafe(text, parts);
  if (parts.size() > 1 && parts.front() == kDefaultHost) parts.erase(parts.begin());
  if (parts.size() == 2 && parts.front() == kDefaultNamespace) parts.erase(parts.begin());
  reference.model = parts.back();
  if (parts.size() < 2 || !is_host(parts.front())) return reference;
  const bool hub = parts.front() == "hf.co" || parts.front() == "huggingface.co";
  reference.source = hub ? hub_source(joined(parts, 1)) : "oci://" + name;
  return reference;
}

std::string model_field(const JsonFields& fields) {
  std::optional<std::string> name = fields.text("model");
  if (!name) name = fields.text("name");
  if (!name) throw Error(RH_INVALID_ARGUMENT, "model: is missing, expected a name");
  return *name;
}

std::string tagged(const std::string& name) {
  return name.find(':') == std::string::npos && name.find('@') == std::string::npos
             ? name + std::string(kDefaultTag)
             : name;
}

}  // namespace roundhouse::host::ollama
