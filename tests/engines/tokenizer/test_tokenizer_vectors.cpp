// SPDX-License-Identifier: Apache-2.0
// Ids, tokens and decoded text as the reference implementation has them, for every committed tokenizer.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "engines/tokenizer/tokenizer.h"

namespace engines {
namespace {

nlohmann::json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return nlohmann::json::parse(stream);
}

struct Vectors {
  std::string model;   // below the fixtures
  std::string folder;  // of the tokenizer, below the model
};
void PrintTo(const Vectors& vectors, std::ostream* stream) {
  *stream << vectors.model;
}

class TokenizerVectors : public testing::TestWithParam<Vectors> {
 protected:
  const std::filesystem::path model_ = std::filesystem::path(ROUNDHOUSE_FIXTURES) / GetParam().model;
  const Tokenizer tokenizer_ = Tokenizer::load(model_ / GetParam().folder);
  const nlohmann::json vectors_ = read_json(model_ / "expected/tokenizer_vectors.json");
};

std::vector<std::int32_t> ids_in(const nlohmann::json& vector, const char* field) {
  return vector.at(field).get<std::vector<std::int32_t>>();
}

// The field that has the ids without what the post-processor adds.
const char* bare_ids(const nlohmann::json& vector) {
  return vector.contains("ids_no_special") ? "ids_no_special" : "ids";
}

TEST_P(TokenizerVectors, IdsEqualTheReference) {
  ASSERT_GE(vectors_.size(), 16u);
  for (const auto& vector : vectors_) {
    SCOPED_TRACE(vector["text"].dump());
    const auto text = vector["text"].get<std::string>();
    EXPECT_EQ(tokenizer_.encode(text), ids_in(vector, "ids"));
    EXPECT_EQ(tokenizer_.encode(text, false), ids_in(vector, bare_ids(vector)));
  }
}

TEST_P(TokenizerVectors, TokensEqualTheReference) {
  for (const auto& vector : vectors_) {
    if (!vector.contains("tokens")) continue;
    SCOPED_TRACE(vector["text"].dump());
    std::vector<std::string> tokens;
    for (const auto id : ids_in(vector, "ids"))
      tokens.push_back(tokenizer_.token(id));
    EXPECT_EQ(tokens, vector["tokens"].get<std::vector<std::string>>());
  }
}

TEST_P(TokenizerVectors, DecodedTextEqualsTheReference) {
  for (const auto& vector : vectors_) {
    if (!vector.contains("decoded")) continue;
    SCOPED_TRACE(vector["text"].dump());
    const auto ids = ids_in(vector, bare_ids(vector));
    EXPECT_EQ(tokenizer_.decode(ids), vector["decoded"].get<std::string>());
    if (vector.contains("decoded_skip_special")) {
      EXPECT_EQ(tokenizer_.decode(ids, true), vector["decoded_skip_special"].get<std::string>());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, TokenizerVectors,
                         testing::Values(Vectors{"zimage-tiny", "tokenizer"}, Vectors{"qwen3-tiny-lm", ""},
                                         Vectors{"qwen2-tiny-lm", ""}, Vectors{"llama-tiny-lm", ""}));

}  // namespace
}  // namespace engines
