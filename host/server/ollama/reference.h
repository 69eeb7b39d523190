// SPDX-License-Identifier: Apache-2.0
// Names of models in Ollama's grammar: [host/][namespace/]model[:tag], with an engine behind a '+'.
#pragma once

#include <optional>
#include <string>

#include "host/server/json_fields.h"

namespace roundhouse::host::ollama {

struct Reference {
  // The name in the store or the catalogue: without Ollama's default host, its namespace "library" and the
  // tag "latest". Of another host or namespace, the model and its tag.
  std::string model;
  std::optional<std::string> engine;
  // Where `pull` and `push` find it, where the name says so: "oci://HOST/NAMESPACE/MODEL:TAG" of a name that
  // begins with a host, "hf:ORG/NAME" of one that begins with hf.co or huggingface.co.
  std::optional<std::string> source;
};

// Throws INVALID_ARGUMENT for an empty name, UNSAFE_NAME for one that no model can have (absolute, with
// "..").
Reference parse_reference(const std::string& text);

// The field `model`, or `name` as older clients call it. Throws INVALID_ARGUMENT without either.
std::string model_field(const JsonFields& fields);

// As clients of Ollama show it: with the tag "latest" where the name has none.
std::string tagged(const std::string& name);

}  // namespace roundhouse::host::ollama
