// SPDX-License-Identifier: Apache-2.0
// Names of stored models: name[:variant][@version].
#pragma once

#include <optional>
#include <string>

namespace roundhouse::host {

// A name without what stands for nothing in Ollama's grammar: its host, the namespace "library", the tag
// "latest". Other texts as they are.
std::string plain_model_name(std::string text);

// Each part is runs of ASCII letters and digits, joined by one of . _ - or by "--"; the whole has at most 128
// bytes. That is a subset of the grammar of org.opencontainers.image.ref.name, so that other tools can use
// every name, and of plain file names, so that no name leads out of a directory. The variant "latest" stands
// for none, as plain_model_name has it.
class ModelName {
 public:
  // Throws UNSAFE_NAME with what is wrong.
  static ModelName parse(const std::string& text);
  // A name made of any text: what names cannot have becomes a dash.
  static ModelName made_of(const std::string& text);
  // None instead of an error.
  static std::optional<ModelName> try_parse(const std::string& text);

  const std::string& name() const { return name_; }
  const std::string& variant() const { return variant_; }  // empty: none
  const std::string& version() const { return version_; }  // empty: none
  std::string text() const;

  bool operator==(const ModelName&) const = default;

 private:
  ModelName() = default;
  std::string name_, variant_, version_;
};

}  // namespace roundhouse::host
