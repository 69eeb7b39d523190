// SPDX-License-Identifier: Apache-2.0
// Embeddings of encoders against llama.cpp's, of decoders against transformers'.
#include "engines/text/embedding_model.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

using Vector = std::vector<float>;
using TokenIds = std::vector<std::int32_t>;

const std::filesystem::path kEncoders = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "families";

struct EncoderCase {
  const char* folder;
  double bound;  // llama.cpp's gelu is the tanh approximation, out of a table of half-precision numbers
};

class Encoders : public testing::TestWithParam<EncoderCase> {};

TEST_P(Encoders, BothFormsGiveWhatLlamaCppGives) {
  QuietRun run;
  for (const KernelsChoice& choice : all_kernels()) {
    const auto kernels = choice.make();
    for (const auto& folder : {kEncoders / GetParam().folder, kEncoders / GetParam().folder / "gguf"}) {
      const auto model = open_embedding_model(folder, *kernels);
      for (const char* const name : {"expected0.json", "expected1.json"}) {
        std::ifstream in(kEncoders / GetParam().folder / name);
        const auto expected = nlohmann::json::parse(in);
        const auto vector = model->embed(expected.at("ids").get<TokenIds>(), run);
        ASSERT_EQ(static_cast<std::int64_t>(vector.size()), model->width());
        const auto values = expected.at("embedding").get<Vector>();
        for (std::size_t i = 0; i < vector.size(); ++i)
          EXPECT_NEAR(vector[i], values.at(i), GetParam().bound) << choice.name << " " << folder << " " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Encoders,
                         testing::Values(EncoderCase{"bert", 3e-3}, EncoderCase{"bge", 3e-3},
                                         EncoderCase{"nomic", 1e-5}),
                         [](const auto& param) { return std::string(param.param.folder); });

class EmbeddingFiles : public testing::Test {
 protected:
  const std::unique_ptr<Kernels> kernels = make_reference_kernels();
  QuietRun run;
  void open(const std::filesystem::path& folder) const { open_embedding_model(folder, *kernels); }
};

TEST_F(EmbeddingFiles, ADecoderGivesItsLastTokensStateOrTheMeanOfAll) {
  for (const char* const name : {"qwen3-tiny-lm", "qwen2-tiny-lm", "llama-tiny-lm"}) {
    const ReferenceCase reference(name);
    const ExpectedGroup expected(reference, "lm");
    const ModelCopy copy(reference.folder());
    std::filesystem::create_directories(copy.path() / "1_Pooling");
    for (const char* const kind : {"last", "mean"}) {
      std::ofstream(copy.path() / "1_Pooling" / "config.json") << nlohmann::json{
          {std::string(kind) == "last" ? "pooling_mode_lasttoken" : "pooling_mode_mean_tokens", true}};
      const auto model = open_embedding_model(copy.path(), *kernels);
      for (const std::string prompt : {"p0", "p1"}) {
        const auto vector = model->embed(ids_of(expected.get(prompt + ".input_ids")), run);
        EXPECT_TRUE(close_to(expected.get(prompt + ".embed_" + kind), vector.data(), vector.size())) << name;
      }
    }
  }
}

TEST_F(EmbeddingFiles, ThePadTokenEndsADecodersText) {
  const ReferenceCase reference("qwen3-tiny-lm");
  const ModelCopy copy(reference.folder());
  copy.set("config.json", "pad_token_id", 7);
  const auto model = open_embedding_model(copy.path(), *kernels);
  EXPECT_EQ(model->embed(TokenIds{3, 4}, run), model->embed(TokenIds{3, 4, 7}, run));
  EXPECT_NE(model->embed(TokenIds{3, 4}, run), model->embed(TokenIds{3, 7}, run));
}

TEST_F(EmbeddingFiles, NormAndPoolingAreWhatModulesSay) {
  const ModelCopy copy(kEncoders / "bert");
  const auto write = [&](const nlohmann::json& modules) {
    std::ofstream(copy.path() / "modules.json") << modules;
  };
  const auto module = [](const char* type, const char* path) {
    return nlohmann::json{{"type", std::string("sentence_transformers.models.") + type}, {"path", path}};
  };
  const auto length = [&] {
    double squares = 0;
    for (const float value : open_embedding_model(copy.path(), *kernels)->embed(TokenIds{3, 4, 5}, run))
      squares += value * value;
    return std::sqrt(squares);
  };
  write({module("Transformer", ""), module("Pooling", "1_Pooling"), module("Normalize", "2_Normalize")});
  EXPECT_NEAR(length(), 1, 1e-6);
  write({module("Transformer", ""), module("Pooling", "1_Pooling")});
  EXPECT_GT(length(), 1.1);
  write({module("Transformer", ""), module("Dense", "2_Dense")});
  EXPECT_TRUE(throws_error(RH_CAPABILITY_UNSUPPORTED, "Dense", [&] { open(copy.path()); }));
  write(nlohmann::json::array({module("Pooling", "../1_Pooling")}));
  EXPECT_TRUE(throws_error(RH_UNSAFE_NAME, "../1_Pooling", [&] { open(copy.path()); }));
  std::ofstream(copy.path() / "modules.json") << "{}";
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "modules.json", [&] { open(copy.path()); }));
}

TEST_F(EmbeddingFiles, WhatIsNotComputedIsRefusedByName) {
  const struct {
    const char* model;
    const char* field;
    nlohmann::json value;
    const char* part;
  } refusals[] = {
      {"bert", "hidden_act", "relu", "hidden_act"},
      {"bert", "position_embedding_type", "relative_key", "position_embedding_type"},
      {"bert", "num_attention_heads", 5, "num_attention_heads"},
      {"bert", "num_hidden_layers", 2, "encoder.layer.2."},
      {"bert", "num_hidden_layers", 4, "encoder.layer.3."},
      {"bert", "hidden_size", 1ULL << 31, "hidden_size"},
      {"nomic", "prenorm", true, "prenorm"},
      {"nomic", "rotary_emb_fraction", 0.5, "rotary_emb_fraction"},
      {"nomic", "activation_function", "gelu", "activation_function"},
      {"nomic", "n_inner", 41, "mlp.fc11"},
  };
  for (const auto& refusal : refusals) {
    const ModelCopy copy(kEncoders / refusal.model);
    copy.set("config.json", refusal.field, refusal.value);
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, refusal.part, [&] { open(copy.path()); })) << refusal.field;
  }
}

TEST_F(EmbeddingFiles, ATextThatDoesNotFitIsRefused) {
  const auto model = open_embedding_model(kEncoders / "bert", *kernels);
  EXPECT_EQ(model->window(), 64);
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "65 tokens", [&] { model->embed(TokenIds(65, 3), run); }));
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "0 tokens", [&] { model->embed(TokenIds{}, run); }));
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "67", [&] { model->embed(TokenIds{67}, run); }));
}

}  // namespace
}  // namespace engines::test
