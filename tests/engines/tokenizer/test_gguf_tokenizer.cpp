// SPDX-License-Identifier: Apache-2.0
// A tokenizer out of a GGUF file is the one that tokenizer.json describes.
#include <algorithm>

#include "engines/tokenizer/chat_template.h"
#include "engines/tokenizer/tokenizer.h"
#include "engines/weights/gguf.h"
#include "gguf_tokenizer_keys.h"
#include "tests/engines/weights/temporary_folder.h"

namespace engines {
namespace {

const std::filesystem::path kFixtures = ROUNDHOUSE_FIXTURES;

GgufFile write_keys(const TemporaryFolder& folder, const GgufKeys& keys) {
  const auto file = folder.path() / "t.gguf";
  TensorWriter::gguf(file, keys, {}).finish();
  return GgufFile(file);
}

struct Case {
  std::filesystem::path folder;
  const char* pre;
  std::filesystem::path vectors;  // empty: none
};
void PrintTo(const Case& c, std::ostream* stream) {
  *stream << c.folder.filename() << " " << c.pre;
}

class GgufTokenizer : public testing::TestWithParam<Case> {
 protected:
  GgufFile file() const {
    GgufKeys keys;
    add_tokenizer(keys, GetParam().folder, GetParam().pre);
    return write_keys(folder_, keys);
  }
  TemporaryFolder folder_;
};

TEST_P(GgufTokenizer, GivesTheIdsOfTokenizerJson) {
  const Tokenizer expected = Tokenizer::load(GetParam().folder);
  const Tokenizer actual = Tokenizer::from_gguf(file());
  EXPECT_EQ(actual.size(), expected.size());
  std::vector<std::string> texts = {"",
                                    " ",
                                    "Hello, world! It's 2026: 12345 x\n\n\t  y",
                                    "naïve café 你好 \U0001F600",
                                    "<|im_start|>user\n<|endoftext|><think>",
                                    "e\u0301 don'T I'LL\r\n  "};
  if (!GetParam().vectors.empty())
    for (const auto& vector : json_of(GetParam().vectors))
      texts.push_back(vector.at("text"));
  for (const auto& text : texts) {
    SCOPED_TRACE(text);
    const auto ids = expected.encode(text);
    EXPECT_EQ(actual.encode(text), ids);
    EXPECT_EQ(actual.encode(text, false), expected.encode(text, false));
    EXPECT_EQ(actual.decode(ids), expected.decode(ids));
    EXPECT_EQ(actual.decode(ids, true), expected.decode(ids, true));
  }
}

TEST_P(GgufTokenizer, RendersTheSameConversations) {
  if (!json_of(GetParam().folder / "tokenizer_config.json").contains("chat_template"))
    GTEST_SKIP() << "this tokenizer has no chat template";
  EXPECT_EQ(ChatTemplate::from_gguf(file()).render_prompt("a cat", true),
            ChatTemplate::load(GetParam().folder).render_prompt("a cat", true));
}

INSTANTIATE_TEST_SUITE_P(
    Fixtures, GgufTokenizer,
    testing::Values(Case{std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo/tokenizer", "qwen2", {}},
                    Case{kFixtures / "zimage-tiny/tokenizer", "qwen2",
                         kFixtures / "zimage-tiny/expected/tokenizer_vectors.json"},
                    Case{kFixtures / "qwen3-tiny-lm", "qwen2",
                         kFixtures / "qwen3-tiny-lm/expected/tokenizer_vectors.json"},
                    Case{kFixtures / "qwen2-tiny-lm", "qwen2",
                         kFixtures / "qwen2-tiny-lm/expected/tokenizer_vectors.json"},
                    Case{kFixtures / "llama-tiny-lm", "llama-bpe",
                         kFixtures / "llama-tiny-lm/expected/tokenizer_vectors.json"}));

// A vocabulary of all bytes' characters and one merge, damaged in one way each.
class RefusedGgufTokenizer : public testing::Test {
 protected:
  RefusedGgufTokenizer() {
    const nlohmann::json vocabulary =
        json_of(kFixtures / "qwen2-tiny-lm/tokenizer.json").at("model").at("vocab");
    for (const auto& [token, id] : vocabulary.items())
      if (id < 256) tokens[id] = token;
    tokens.push_back("ab");
    tokens.push_back("<|end|>");
    kinds.assign(tokens.size(), 1);
    kinds.back() = 3;
  }
  void expect_refused(rh_status code, const std::string& text) {
    GgufKeys keys;
    if (!model.empty()) keys.add("tokenizer.ggml.model", model);
    keys.add("tokenizer.ggml.pre", pre);
    keys.add("tokenizer.ggml.tokens", tokens);
    keys.add("tokenizer.ggml.token_type", kinds);
    keys.add("tokenizer.ggml.merges", merges);
    if (bos) keys.add("tokenizer.ggml.add_bos_token", true);
    const GgufFile file = write_keys(folder_, keys);
    expect_error([&] { Tokenizer::from_gguf(file); }, code, text);
  }

  TemporaryFolder folder_;
  std::string model = "gpt2", pre = "gpt-2";
  std::vector<std::string> tokens = std::vector<std::string>(256), merges = {"a b"};
  std::vector<std::int32_t> kinds;
  bool bos = false;
};

TEST_F(RefusedGgufTokenizer, AnotherKindOfModel) {
  model = "llama";
  expect_refused(RH_CAPABILITY_UNSUPPORTED,
                 "t.gguf: tokenizer.ggml.model: 'llama' is not supported, expected 'gpt2'");
  model = "";
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.model: is missing");
}

TEST_F(RefusedGgufTokenizer, AnotherPreTokenizer) {
  pre = "tekken";
  expect_refused(RH_CAPABILITY_UNSUPPORTED,
                 "tokenizer.ggml.pre: 'tekken' is not supported, expected one of 'qwen2', ");
}

TEST_F(RefusedGgufTokenizer, KindsThatDoNotFit) {
  kinds.pop_back();
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.token_type: has 257 elements, expected 258");
  kinds.push_back(6);
  expect_refused(RH_MODEL_INVALID, "token 257 '<|end|>' is of kind 6, expected 1, 3, 4 or 5");
}

TEST_F(RefusedGgufTokenizer, MergesThatDoNotFit) {
  merges = {"a b c"};
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.merges: merge 0 'a b c' is not a pair of tokens");
  merges = {"a c"};
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.merges");
  merges = {};
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.merges: 0 merges, and none of them makes 'ab'");
}

TEST_F(RefusedGgufTokenizer, ABeginningThatIsNotSaid) {
  bos = true;
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.bos_token_id: is missing");
}

TEST(GgufChatTemplate, ThatIsMissingOrDamagedIsNamed) {
  const TemporaryFolder folder;
  expect_error([&] { ChatTemplate::from_gguf(write_keys(folder, {})); }, RH_MODEL_INVALID,
               "t.gguf: tokenizer.chat_template: is missing");
  GgufKeys keys;
  keys.add("tokenizer.chat_template", "{% if %}");
  keys.add("tokenizer.ggml.tokens", std::vector<std::string>{"a"});
  expect_error([&] { ChatTemplate::from_gguf(write_keys(folder, keys)); }, RH_MODEL_INVALID, "t.gguf: ");
}

}  // namespace
}  // namespace engines
