// SPDX-License-Identifier: Apache-2.0
// A small tokenizer.json, and a test that loads it with changes.
#pragma once

#include <functional>

#include "../weights/temporary_folder.h"
#include "engines/tokenizer/byte_alphabet.h"
#include "engines/tokenizer/tokenizer.h"

#include <nlohmann/json.hpp>

namespace engines {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

inline constexpr const char* qwen2_pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The 256 bytes, "aa" (256), "aaaa" (257) and " a" (258).
inline Json small_model() {
  Json vocab;
  for (std::size_t byte = 0; byte < 256; ++byte)
    vocab[byte_alphabet()[byte]] = byte;
  vocab["aa"] = 256;
  vocab["aaaa"] = 257;
  vocab["\u0120a"] = 258;
  return {{"type", "BPE"},
          {"vocab", vocab},
          {"merges",
           Json::array({Json::array({"a", "a"}), Json::array({"aa", "aa"}), Json::array({"\u0120", "a"})})}};
}

inline Json added(int id, const std::string& content) {
  return {{"id", id}, {"content", content}, {"special", true}, {"normalized", false}};
}

inline Json small_tokenizer() {
  const Json split{{"type", "Split"}, {"pattern", {{"Regex", qwen2_pattern}}}, {"behavior", "Isolated"}};
  const Json byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {{"model", small_model()},
          {"added_tokens", Json::array({added(259, "<x>"), added(260, "<x><y>")})},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level})}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}}};
}

class TokenizerFiles : public testing::Test {
 protected:
  Tokenizer load(const std::function<void(Json&)>& change) const {
    Json json = small_tokenizer();
    change(json);
    folder_.write("tok/tokenizer.json", json.dump());
    return Tokenizer::load(folder_.path() / "tok");
  }
  void expect_refused(const std::function<void(Json&)>& change, const std::string& text) const {
    expect_error([&] { load(change); }, RH_MODEL_INVALID, "tok/tokenizer.json");
    expect_error([&] { load(change); }, RH_MODEL_INVALID, text);
  }
  TemporaryFolder folder_;
};

}  // namespace engines
