// SPDX-License-Identifier: Apache-2.0
// Plans of texts and embeddings: what is refused before an engine starts, and where values come from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/session/text_session.h"
#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

EngineManifest speaker(const std::string& id, std::vector<std::string> tasks,
                       std::vector<std::string> architectures) {
  EngineManifest manifest;
  manifest.file = "/engines/" + id + ".json";
  manifest.library = "/engines/" + id + ".so";
  manifest.id = id;
  manifest.maturity = "stable";
  manifest.abi_major = RH_ABI_MAJOR;
  manifest.capabilities = {{"task", std::move(tasks)},
                           {"device", {"cpu"}},
                           {"weight-format", {"safetensors"}},
                           {"dtype", {"f32"}},
                           {"architecture", std::move(architectures)}};
  return manifest;
}

// A directory with a model of one tensor, and engines that write, draw and embed.
class TextPlanTest : public ::testing::Test {
 protected:
  TextPlanTest() : models_(ModelSearch{}) {
    std::string pattern = ::testing::TempDir() + "text-plan-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    write("config.json", R"({"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3"})");
    write("tokenizer.json", "{}");
    write("tokenizer_config.json", "{}");
    const std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
    std::string weights(8, '\0');
    weights[0] = static_cast<char>(header.size());
    write("model.safetensors", weights + header + std::string(4, '\0'));
    EngineManifest both =
        speaker("both", {"text-to-image", "text-generation"}, {"ZImagePipeline", "Qwen3ForCausalLM"});
    both.capabilities["architecture.text-to-image"] = {"ZImagePipeline"};
    both.capabilities["architecture.text-generation"] = {"Qwen3ForCausalLM"};
    registry_.emplace(std::vector<Candidate>{{both.file, "flag", both, std::nullopt, std::nullopt}});
    request_.model = directory_.string() + "/";
    request_.messages = R"([{"role":"user","content":"hello"}])";
  }
  ~TextPlanTest() override { fs::remove_all(directory_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  TextPlan plan() const {
    return make_text_plan(request_, *registry_, models_, [] { return std::uint64_t{42}; });
  }
  std::string refusal() const {
    try {
      plan();
    } catch (const Error& error) {
      return error.what();
    }
    return "taken";
  }

  fs::path directory_;
  ModelCatalogue models_;
  std::optional<Registry> registry_;
  TextRequest request_;
};

TEST_F(TextPlanTest, TakesWhatAsksForNothingFromTheProgram) {
  const TextPlan plan = this->plan();
  EXPECT_EQ(plan.engine, "both");
  EXPECT_EQ(plan.job.sampling.temperature, 0.7);
  EXPECT_EQ(plan.job.sampling.top_p, 0.95);
  EXPECT_EQ(plan.job.sampling.seed, 42U);
  EXPECT_EQ(plan.job.max_tokens, 0U);
}

TEST_F(TextPlanTest, TakesWhatIsNotAskedForFromTheModelsFiles) {
  write("generation_config.json",
        R"({"temperature": 0.6, "top_p": 0.5, "top_k": 20, "repetition_penalty": 1.1, "max_new_tokens": 7})");
  request_.top_p = 0.9;
  const TextPlan plan = this->plan();
  EXPECT_EQ(plan.job.sampling.temperature, 0.6);
  EXPECT_EQ(plan.job.sampling.top_p, 0.9);
  EXPECT_EQ(plan.job.sampling.top_k, 20U);
  EXPECT_EQ(plan.job.max_tokens, 7U);
  EXPECT_EQ(plan.job.sampling.repetition_penalty, 1.1);
  write("generation_config.json", R"({"do_sample": false, "temperature": 0.6, "top_p": -3})");
  request_.top_p.reset();
  EXPECT_EQ(this->plan().job.sampling.temperature, 0);
  EXPECT_EQ(this->plan().job.sampling.top_p, 0.95);
  write("generation_config.json", R"({"eos_token_id": [3, -1, "x", 7]})");
  EXPECT_THAT(sampling_defaults(directory_).end_tokens, ElementsAre(3, 7));
  write("generation_config.json", R"({"eos_token_id": 5})");
  EXPECT_THAT(sampling_defaults(directory_).end_tokens, ElementsAre(5));
  write("generation_config.json", "{");
  EXPECT_THAT(refusal(), HasSubstr("generation_config.json"));
}

TEST_F(TextPlanTest, RefusesValuesOutOfRange) {
  request_.temperature = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(refusal(), HasSubstr("temperature: nan is not a finite number"));
  request_.temperature = 0;
  request_.top_p = 0;
  EXPECT_THAT(refusal(), HasSubstr("top-p: 0 is out of range"));
  request_.top_p.reset();
  request_.repeat_last_n = -1;
  EXPECT_EQ(plan().job.sampling.repeat_last_n, UINT32_MAX);
  request_.biases = {{-1, 0.0F}};
  EXPECT_THAT(refusal(), HasSubstr("logit bias: 0 of token -1"));
  request_.biases = {{1, -std::numeric_limits<float>::infinity()}};
  EXPECT_EQ(refusal(), "taken");
  request_.biases = {{1, std::numeric_limits<float>::infinity()}};
  EXPECT_THAT(refusal(), HasSubstr("logit bias: inf of token 1"));
}

TEST_F(TextPlanTest, RefusesJsonOfAnotherKind) {
  for (const char* messages : {"", "{}", "[", "[3]", "[]", R"([{"content":"x"}])", R"([{"role":3}])"}) {
    request_.messages = messages;
    EXPECT_THAT(refusal(), HasSubstr("messages")) << messages;
  }
  request_.messages = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_THAT(refusal(), HasSubstr("messages: is nested more than 200 deep"));
  request_.messages.reset();
  EXPECT_THAT(refusal(), HasSubstr("expected either messages or a prompt"));
  request_.prompt = std::string("\0", 1);
  EXPECT_EQ(refusal(), "taken");
  request_.tools = "{}";
  EXPECT_THAT(refusal(), HasSubstr("tools: is not an array of objects"));
  request_.tools = "[{}]";
  request_.response_format = "[]";
  EXPECT_THAT(refusal(), HasSubstr("response format: is not an object"));
  request_.response_format.reset();
  request_.stops = {""};
  EXPECT_THAT(refusal(), HasSubstr("stop: is empty"));
}

TEST_F(TextPlanTest, NamesWhatAModelCan) {
  EmbedRequest request;
  request.model = request_.model;
  request.texts = {"one"};
  try {
    make_embed_plan(request, *registry_, models_);
    FAIL();
  } catch (const RoutingRefusal& refused) {
    EXPECT_EQ(refused.code(), RH_CAPABILITY_UNSUPPORTED);
    EXPECT_THAT(refused.what(), HasSubstr("(Qwen3ForCausalLM) does text-generation, not embedding"));
  }
  EXPECT_THAT(tasks_of("ZImagePipeline", registry_->records()), ElementsAre("text-to-image"));
}

}  // namespace
}  // namespace roundhouse::host
