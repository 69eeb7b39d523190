// SPDX-License-Identifier: Apache-2.0
// What a converter to GGUF writes of a tokenizer folder.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/weights/tensor_writer.h"

namespace engines {

inline nlohmann::json json_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return nlohmann::json::parse(stream);
}

// The tokenizer.ggml.* keys of <folder>/tokenizer.json and its configuration; `pre` is the pre-tokenizer's
// name.
inline void add_tokenizer(GgufKeys& keys, const std::filesystem::path& folder, const char* pre) {
  const nlohmann::json json = json_of(folder / "tokenizer.json");
  const nlohmann::json config = json_of(folder / "tokenizer_config.json");
  const nlohmann::json& vocabulary = json.at("model").at("vocab");
  std::size_t count = vocabulary.size();
  for (const auto& added : json.at("added_tokens"))
    count = std::max(count, added.at("id").get<std::size_t>() + 1);
  std::vector<std::string> tokens(count + 3);
  std::vector<std::int32_t> kinds(tokens.size(), 5);  // an embedding is often larger than its tokenizer
  for (std::size_t id = 0; id < tokens.size(); ++id)
    tokens[id] = "[PAD" + std::to_string(id) + "]";
  for (const auto& [token, id] : vocabulary.items())
    tokens.at(id) = token, kinds.at(id) = 1;
  for (const auto& added : json.at("added_tokens")) {
    tokens.at(added.at("id")) = added.at("content");
    kinds.at(added.at("id")) = added.at("special").get<bool>() ? 3 : 4;
  }
  std::vector<std::string> merges;
  for (const auto& merge : json.at("model").at("merges"))
    merges.push_back(merge.is_string()
                         ? merge.get<std::string>()
                         : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>());
  keys.add("tokenizer.ggml.model", "gpt2");
  keys.add("tokenizer.ggml.pre", pre);
  keys.add("tokenizer.ggml.tokens", tokens);
  keys.add("tokenizer.ggml.token_type", kinds);
  keys.add("tokenizer.ggml.merges", merges);
  for (const auto& [name, key] : {std::pair{"bos_token", "tokenizer.ggml.bos_token_id"},
                                  {"eos_token", "tokenizer.ggml.eos_token_id"},
                                  {"pad_token", "tokenizer.ggml.padding_token_id"}}) {
    if (!config.contains(name) || config.at(name).is_null()) continue;
    const auto& token = config.at(name);
    const std::string content = token.is_object() ? token.at("content") : token;
    const auto place = std::find(tokens.begin(), tokens.end(), content);
    keys.add(key, static_cast<std::uint32_t>(place - tokens.begin()));
  }
  if (config.contains("chat_template"))
    keys.add("tokenizer.chat_template", config.at("chat_template").get<std::string>());
}

}  // namespace engines
