// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/end_tokens.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engines/weights/config.h"
#include "engines/weights/json_file.h"

namespace engines::decoding {
namespace {

constexpr std::size_t kLargestFile = std::size_t{16} << 20;

// A file of the folder and its JSON, which Config does not show.
struct File {
  nlohmann::json tree;
  Config config;
  explicit File(nlohmann::json read, const char* name) : tree(std::move(read)), config(tree, name) {}
};

std::optional<File> read_if_there(const std::filesystem::path& folder, const char* name) {
  std::error_code unreadable;
  if (!std::filesystem::exists(folder / name, unreadable)) return std::nullopt;
  return File(parse_json(read_file(folder / name, name, kLargestFile), name), name);
}

EndTokens ids_in(const File& file, const TokenTexts& texts) {
  constexpr const char* field = "eos_token_id";
  EndTokens ends;
  const std::int64_t last = texts.count() - 1;
  if (!file.config.has(field)) return ends;
  if (file.tree[field].is_array()) {
    for (const std::int64_t id : file.config.integers(field, 0, 64, 0, last))
      ends.insert(static_cast<std::int32_t>(id));
  } else {
    ends.insert(static_cast<std::int32_t>(file.config.integer(field, 0, last)));
  }
  return ends;
}

}  // namespace

EndTokens end_tokens_of(const std::filesystem::path& folder, const TokenTexts& texts) {
  EndTokens ends;
  for (const char* name : {"generation_config.json", "config.json"}) {
    if (!ends.empty()) break;
    if (const auto file = read_if_there(folder, name)) ends = ids_in(*file, texts);
  }
  const auto file = read_if_there(folder, "tokenizer_config.json");
  if (file && file->config.has("eos_token")) {
    const std::string token = file->tree["eos_token"].is_object()
                                  ? file->config.object("eos_token")->text("content")
                                  : file->config.text("eos_token");
    if (const std::int32_t id = texts.find(token); id >= 0) ends.insert(id);
  }
  return ends;
}

EndTokens end_tokens_of(const GgufMetadata& metadata, const TokenTexts& texts) {
  EndTokens ends;
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    if (metadata.has(key))
      ends.insert(static_cast<std::int32_t>(metadata.integer(key, 0, texts.count() - 1)));
  }
  return ends;
}

EndTokens end_tokens_in(const std::string& chat_template, const TokenTexts& texts) {
  EndTokens ends;
  for (const char* token :
       {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<|end|>", "<|end_of_text|>"}) {
    const std::int32_t id = texts.find(token);
    if (id >= 0 && chat_template.find(token) != std::string::npos) ends.insert(id);
  }
  return ends;
}

}  // namespace engines::decoding
