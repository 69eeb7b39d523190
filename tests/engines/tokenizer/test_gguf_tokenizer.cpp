// SPDX-License-Identifier: Apache-2.0
// A tokenizer out of a GGUF file is the one that tokenizer.json describes.
#include <algorithm>
#include <span>

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
  model = "rwkv";
  expect_refused(
      RH_CAPABILITY_UNSUPPORTED,
      "t.gguf: tokenizer.ggml.model: 'rwkv' is not supported, expected one of 'gpt2', 'llama', 't5', 'bert'");
  for (const char* const scored : {"llama", "t5"}) {
    model = scored;
    expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.scores: is missing");
  }
  model = "";
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.model: is missing");
}

TEST_F(RefusedGgufTokenizer, AnotherPreTokenizer) {
  pre = "bloom";
  expect_refused(RH_CAPABILITY_UNSUPPORTED,
                 "tokenizer.ggml.pre: 'bloom' is not supported, expected one of 'qwen2', ");
}

TEST_F(RefusedGgufTokenizer, KindsThatDoNotFit) {
  kinds.pop_back();
  expect_refused(RH_MODEL_INVALID, "tokenizer.ggml.token_type: has 257 elements, expected 258");
  kinds.push_back(6);
  expect_refused(RH_MODEL_INVALID, "token 257 '<|end|>' is of kind 6, expected 1 to 5");
  kinds.back() = 7;
  expect_refused(RH_MODEL_INVALID, "token 257 '<|end|>' is of kind 7, expected 1 to 6");
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

void add_scores(GgufKeys& keys, const std::vector<float>& scores) {
  keys.add("tokenizer.ggml.scores",
           GgufValue{GgufKind::array, GgufKind::f32, scores.size(), std::as_bytes(std::span(scores))});
}

// SentencePiece's two models and BERT's, each written in the keys of a GGUF file from the tokenizer.json of a
// committed case.
class GgufFamilies : public testing::Test {
 protected:
  // The first case whose stages pass.
  template <class Wanted>
  static nlohmann::json stages_where(const Wanted& wanted) {
    const nlohmann::json file = json_of(ROUNDHOUSE_STAGES);
    for (const auto& row : file.at("cases"))
      if (row.at("stages").contains("model") && wanted(row.at("stages"))) return row.at("stages");
    throw std::logic_error("no such case");
  }
  void expect_equal(const nlohmann::json& stages) {
    folder_.write("tok/tokenizer.json", stages.dump());
    const Tokenizer expected = Tokenizer::load(folder_.path() / "tok");
    keys_.add("tokenizer.ggml.tokens", tokens_);
    keys_.add("tokenizer.ggml.token_type", kinds_);
    const Tokenizer actual = Tokenizer::from_gguf(write_keys(folder_, keys_));
    const nlohmann::json file = json_of(ROUNDHOUSE_STAGES);
    for (const auto& row : file.at("texts")) {
      const auto text = row.get<std::string>();
      SCOPED_TRACE(row.dump());
      const auto ids = expected.encode(text);
      EXPECT_EQ(actual.encode(text), ids);
      EXPECT_EQ(actual.decode(ids), expected.decode(ids));
    }
  }
  TemporaryFolder folder_;
  GgufKeys keys_;
  std::vector<std::string> tokens_;
  std::vector<std::int32_t> kinds_;
};

TEST_F(GgufFamilies, LlamaMergesByScore) {
  auto stages = stages_where(
      [](const auto& s) { return s["model"].value("byte_fallback", false) && s["model"]["type"] == "BPE"; });
  const auto& vocab = stages["model"]["vocab"];
  tokens_.resize(vocab.size());
  for (const auto& [token, id] : vocab.items())
    tokens_[id] = token;
  std::vector<float> scores(tokens_.size());
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    kinds_.push_back(tokens_[id] == "<unk>" ? 2 : tokens_[id].starts_with("<0x") ? 6 : 1);
    for (std::size_t rank = 0; rank < stages["model"]["merges"].size(); ++rank) {
      const auto& merge = stages["model"]["merges"][rank];
      if (merge[0].get<std::string>() + merge[1].get<std::string>() == tokens_[id])
        scores[id] = -1.0F - static_cast<float>(rank);
    }
    if (tokens_[id] == "<unk>") {
      keys_.add("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(id));
      stages["added_tokens"] = {{{"id", id}, {"content", "<unk>"}, {"special", true}, {"normalized", false}}};
    }
  }
  keys_.add("tokenizer.ggml.model", "llama");
  add_scores(keys_, scores);
  keys_.add("tokenizer.ggml.add_bos_token", false);
  expect_equal(stages);
}

TEST_F(GgufFamilies, T5IsUnigram) {
  auto stages = stages_where([](const auto& s) { return s["model"]["type"] == "Unigram"; });
  std::vector<float> scores;
  for (const auto& piece : stages["model"]["vocab"]) {
    tokens_.push_back(piece[0]);
    scores.push_back(piece[1]);
    kinds_.push_back(1);
  }
  keys_.add("tokenizer.ggml.model", "t5");
  add_scores(keys_, scores);
  keys_.add("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
  keys_.add("tokenizer.ggml.add_eos_token", false);
  keys_.add("tokenizer.ggml.remove_extra_whitespaces", false);
  expect_equal(stages);
}

TEST_F(GgufFamilies, BertIsWordPiece) {
  const auto stages = stages_where([](const auto& s) { return s["model"]["type"] == "WordPiece"; });
  const auto& vocab = stages["model"]["vocab"];
  tokens_.resize(vocab.size());
  kinds_.assign(vocab.size(), 1);
  for (const auto& [token, id] : vocab.items()) {
    if (token.starts_with("[")) {
      tokens_[id] = token;
      kinds_[id] = token == "[UNK]" ? 2 : 3;
    } else {
      tokens_[id] = token.starts_with("##") ? token.substr(2) : "\u2581" + token;
    }
  }
  keys_.add("tokenizer.ggml.model", "bert");
  keys_.add("tokenizer.ggml.unknown_token_id", vocab.at("[UNK]").get<std::uint32_t>());
  keys_.add("tokenizer.ggml.cls_token_id", vocab.at("[CLS]").get<std::uint32_t>());
  keys_.add("tokenizer.ggml.seperator_token_id", vocab.at("[SEP]").get<std::uint32_t>());
  expect_equal(stages);
}

TEST_F(GgufFamilies, EveryPreTokenizerOfTheListIsUnderstood) {
  for (const char* const pre : {"gpt-2", "qwen2", "llama-bpe", "falcon", "starcoder", "gpt-4o", "tekken",
                                "deepseek-v3", "deepseek-coder"}) {
    SCOPED_TRACE(pre);
    GgufKeys keys;
    add_tokenizer(keys, kFixtures / "qwen3-tiny-lm", pre);
    keys.add("tokenizer.ggml.add_bos_token", false);
    const std::string text = "Hello WORLD's 12345, \u4f60\u597d caf\u00e9!\n\n  x";
    const Tokenizer tokenizer = Tokenizer::from_gguf(write_keys(folder_, keys));
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
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
