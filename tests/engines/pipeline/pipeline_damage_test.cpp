// SPDX-License-Identifier: Apache-2.0
// What the pipeline says of directories and requests that it cannot work with.
#include <gtest/gtest.h>

#include <limits>

#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/tiny_models.h"

namespace engines::test {
namespace {

using roundhouse::test::kTinyModels;
using roundhouse::test::name_of_model;
using roundhouse::test::TinyModel;

const std::filesystem::path kFixtures = ROUNDHOUSE_FIXTURES;
const std::filesystem::path kModels = ROUNDHOUSE_MODELS;

class DamagedModel : public testing::Test {
 protected:
  testing::AssertionResult refused(rh_status code, const std::string& part) const {
    return throws_error(code, part, [&] { OpenedModel(model.path(), *kernels); });
  }
  // Runs two steps of a small image.
  testing::AssertionResult fails(rh_status code, const std::string& part) const {
    return throws_error(code, part, [&] {
      ImageRequest request;
      request.prompt = "a red fox";
      request.width = request.height = 32;
      request.steps = 2;
      QuietRun run;
      OpenedModel(model.path(), *kernels).generate(request, run);
    });
  }
  const std::vector<std::uint8_t> bf16_nan{0xC0, 0x7F};
  ModelCopy model{kFixtures / "zimage-tiny"};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
};

TEST_F(DamagedModel, ADirectoryThatIsNotThereIsNotFound) {
  EXPECT_TRUE(
      throws_error(RH_MODEL_NOT_FOUND, "nowhere", [&] { OpenedModel(model.path() / "nowhere", *kernels); }));
}

TEST_F(DamagedModel, EveryMissingFileIsNamedAtOnce) {
  model.remove("vae/config.json");
  model.remove("transformer");
  EXPECT_TRUE(refused(RH_WEIGHTS_MISSING,
                      "missing transformer/config.json, transformer/diffusion_pytorch_model.safetensors, "
                      "vae/config.json"));
}

TEST_F(DamagedModel, VocabularyAndMergesReplaceTheTokenizerFileAndOneAloneDoesNot) {
  model.remove("tokenizer/tokenizer.json");
  EXPECT_NO_THROW(OpenedModel(model.path(), *kernels));
  model.remove("tokenizer/merges.txt");
  EXPECT_TRUE(refused(RH_WEIGHTS_MISSING, "missing tokenizer/merges.txt"));
}

TEST_F(DamagedModel, ComponentsThatDoNotFitEachOtherAreNamed) {
  model.replace("transformer", kFixtures / "zimage-wide-dit" / "transformer");
  EXPECT_TRUE(refused(RH_MODEL_INVALID, "cap_feat_dim: 24 does not fit hidden_size"));
}

TEST_F(DamagedModel, ATokenizerBeyondTheEmbeddingIsRefused) {
  model.replace("tokenizer", kModels / "pocket-turbo" / "tokenizer");
  EXPECT_TRUE(refused(RH_MODEL_INVALID, "do not fit vocab_size 1280"));
}

TEST_F(DamagedModel, AWrongShapeNamesTensorAndShapes) {
  model.set("transformer/config.json", "cap_feat_dim", 65);
  EXPECT_TRUE(refused(RH_MODEL_INVALID, "cap_embedder.0.weight"));
}

TEST_F(DamagedModel, ATruncatedShardNamesTheFile) {
  model.truncate("transformer/diffusion_pytorch_model-00002-of-00002.safetensors", 1);
  EXPECT_TRUE(refused(RH_MODEL_INVALID, "diffusion_pytorch_model-00002-of-00002.safetensors"));
}

TEST_F(DamagedModel, AMissingShardNamesTheFile) {
  model.remove("text_encoder/model-00003-of-00003.safetensors");
  EXPECT_TRUE(refused(RH_WEIGHTS_MISSING, "model-00003-of-00003.safetensors"));
}

TEST_F(DamagedModel, ANaNInTheEncoderIsAnErrorOfEncode) {
  model.overwrite("text_encoder/model-00002-of-00003.safetensors", "model.layers.0.input_layernorm.weight",
                  bf16_nan);
  EXPECT_TRUE(fails(RH_PIPELINE_ERROR, "encode: "));
  EXPECT_TRUE(fails(RH_PIPELINE_ERROR, "values of the prompt's embeddings are not finite"));
}

TEST_F(DamagedModel, ANaNInTheTransformerIsAnErrorOfItsFirstStep) {
  model.overwrite("transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
                  "layers.0.attention_norm1.weight", bf16_nan);
  EXPECT_TRUE(
      fails(RH_PIPELINE_ERROR, "denoise: 256 of 256 values of the latents are not finite after step 1 of 2"));
}

TEST_F(DamagedModel, ANaNInTheDecoderIsAnErrorOfDecode) {
  model.overwrite("vae/diffusion_pytorch_model.safetensors", "decoder.conv_in.bias", bf16_nan);
  EXPECT_TRUE(fails(RH_PIPELINE_ERROR, "decode: "));
  EXPECT_TRUE(fails(RH_PIPELINE_ERROR, "values of the image are not finite"));
}

// What is refused in every architecture.
class DamagedTinyModel : public testing::TestWithParam<TinyModel> {
 protected:
  testing::AssertionResult refused(rh_status code, const std::string& part) const {
    return throws_error(code, part, [&] { OpenedModel(model.path(), *kernels); });
  }
  ModelCopy model{GetParam().folder()};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
};

TEST_P(DamagedTinyModel, ClassesThatItDoesNotRunAreNamed) {
  const struct {
    const char* field;
    nlohmann::json value;
  } wrong[] = {
      {"_class_name", "FluxPipeline"},
      {"scheduler", {"diffusers", "UniPCMultistepScheduler"}},
      {"tokenizer", {"transformers", "T5Tokenizer"}},
      {"text_encoder", {"transformers", "T5EncoderModel"}},
      {"transformer", {"diffusers", "FluxTransformer2DModel"}},
      {"vae", {"diffusers", "AutoencoderTiny"}},
      {"vae", {"diffusers"}},
      {"vae", "AutoencoderKL"},
      {"vae", nullptr},
  };
  for (const auto& [field, value] : wrong) {
    const ModelCopy copy(GetParam().folder());
    copy.set("model_index.json", field, value);
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "model_index.json: " + std::string(field), [&] {
      OpenedModel(copy.path(), *kernels);
    })) << value;
  }
}

TEST_P(DamagedTinyModel, OtherSpellingsOfTheSameClassesAreTaken) {
  model.set("model_index.json", "text_encoder", {"transformers", "Qwen3ForCausalLM"});
  model.set("model_index.json", "tokenizer", {"transformers", "Qwen2TokenizerFast"});
  EXPECT_NO_THROW(OpenedModel(model.path(), *kernels));
}

TEST_P(DamagedTinyModel, TheTransformerOfAnotherArchitectureIsRefused) {
  for (const TinyModel& other : kTinyModels) {
    if (std::string(other.fixture) == GetParam().fixture) continue;
    const ModelCopy copy(GetParam().folder());
    copy.replace("transformer", other.folder() / "transformer");
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "transformer/config.json: _class_name", [&] {
      OpenedModel(copy.path(), *kernels);
    })) << other.fixture;
  }
}

TEST_P(DamagedTinyModel, AVaeOfOtherChannelsIsRefused) {
  model.replace("vae", kFixtures / "zimage-tiny" / "vae");
  EXPECT_TRUE(refused(RH_MODEL_INVALID,
                      "latent_channels: 16 does not fit the latents of transformer/config.json, expected 3"));
}

TEST_P(DamagedTinyModel, AnEncoderOfAnotherWidthIsRefused) {
  model.replace("text_encoder", kFixtures / "zimage-tiny" / "text_encoder");
  EXPECT_TRUE(refused(RH_MODEL_INVALID, std::string(GetParam().caption_field) + ": "));
}

TEST_P(DamagedTinyModel, ANaNInTheTransformerIsAnErrorOfItsFirstStep) {
  model.overwrite("transformer/diffusion_pytorch_model.safetensors", GetParam().norm, {0x01, 0x7E});
  ImageRequest request;
  request.prompt = "a red fox";
  request.width = request.height = 32;
  request.steps = 2;
  QuietRun run;
  EXPECT_TRUE(throws_error(RH_PIPELINE_ERROR, "values of the latents are not finite after step 1 of 2",
                           [&] { OpenedModel(model.path(), *kernels).generate(request, run); }));
}

INSTANTIATE_TEST_SUITE_P(Models, DamagedTinyModel, testing::ValuesIn(kTinyModels), name_of_model);

class Request : public testing::Test {
 protected:
  testing::AssertionResult refused(rh_status code, const std::string& part) {
    return throws_error(code, part, [&] { pipeline.generate(request, run); });
  }
  void SetUp() override { request.width = request.height = 32; }

  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  OpenedModel pipeline{kFixtures / "zimage-tiny", *kernels};
  ImageRequest request;
  QuietRun run;
};

TEST_F(Request, SizesOutsideTheLimitsAreRefused) {
  for (const std::int64_t size : {0L, -16L, 8L, 2064L, std::int64_t{1} << 31, std::int64_t{1} << 62}) {
    request.width = size;
    EXPECT_TRUE(refused(RH_INVALID_DIMENSION, "width: " + std::to_string(size) + " is out of range"));
  }
  request.width = 32;
  for (const std::int64_t size : {17L, 40L, 2047L}) {
    request.height = size;
    EXPECT_TRUE(
        refused(RH_INVALID_DIMENSION, "height: " + std::to_string(size) + " is not a multiple of 16"));
  }
}

TEST_F(Request, StepsOutsideTheLimitsAreRefused) {
  for (const std::int64_t steps : {0, -1, 1001}) {
    request.steps = steps;
    EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "steps: " + std::to_string(steps)));
  }
}

TEST_F(Request, GuidanceThatIsNoNumberOrNegativeIsRefused) {
  request.guidance = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "guidance: nan"));
  request.guidance = -0.5;
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "guidance: -0.5"));
  request.guidance = 4;
  request.cfg_truncation = -1;
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "cfg_truncation: -1"));
  request.cfg_truncation = 1;
  request.cfg_normalization = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "cfg_normalization: inf"));
}

TEST_F(Request, UnknownSamplersAndSchedulesAreRefused) {
  request.sampler = "ancestral";
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "ancestral"));
  request.sampler = "euler";
  request.schedule = "linear";
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, "linear"));
}

TEST_F(Request, APromptThatIsNoTextIsRefused) {
  request.prompt = "fox \xff";
  EXPECT_TRUE(refused(RH_INVALID_ARGUMENT, ""));
}

}  // namespace
}  // namespace engines::test
