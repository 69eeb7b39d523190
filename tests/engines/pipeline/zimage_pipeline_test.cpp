// SPDX-License-Identifier: Apache-2.0
// Whole pipelines against the reference's, stage by stage.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engines/sampling/random.h"
#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

// As a case's params describe it; prompts are named by their key in params.prompts.
ImageRequest request_of(const ReferenceCase& reference, const std::string& group) {
  const auto& params = reference.json().at("files").at("expected/" + group + ".safetensors").at("params");
  const auto& prompts = reference.json().at("params").at("prompts");
  ImageRequest request;
  if (params.at("prompt").is_string()) request.prompt = prompts.at(params.at("prompt").get<std::string>());
  if (const auto negative = params.value("negative_prompt", ""); prompts.contains(negative))
    request.negative_prompt = prompts.at(negative);
  const auto size = params.value("size", reference.json().at("params").at("size"));
  request.height = size.at(0);
  request.width = size.at(1);
  request.steps = params.at("steps");
  request.guidance = params.at("guidance_scale");
  const auto normalization = params.value("cfg_normalization", nlohmann::json(0.0));
  request.cfg_normalization =
      normalization.is_boolean() ? (normalization.get<bool>() ? 1.0 : 0.0) : normalization.get<double>();
  request.cfg_truncation = params.value("cfg_truncation", 1.0);
  request.seed = params.value("seed", std::uint64_t{0});
  return request;
}

std::vector<std::uint8_t> levels_of(const Expected& image) {
  std::vector<std::uint8_t> levels;
  for (const float value : image.values)
    levels.push_back(static_cast<std::uint8_t>(value));
  return levels;
}

class ZImagePipelineTest : public testing::TestWithParam<KernelsChoice> {
 protected:
  // Generates and compares noise, every step and the image with image `index` of `count` of a group.
  void compare(const std::string& group, const ImageRequest& request, std::int64_t index, std::int64_t count,
               PipelineTaps taps) {
    const ExpectedGroup expected(reference, group);
    FirstDeviation first;
    add_stage_taps(expected, index, count, taps, first);
    const Image image = pipeline.generate(request, run, taps);
    EXPECT_EQ(image.width, request.width);
    EXPECT_EQ(image.height, request.height);
    first.expect(same_image(levels_of(expected.part("image_uint8", index, count)), image.rgb));
    EXPECT_TRUE(first.result()) << group;
    EXPECT_GE(first.seen(), 2 + 2 * static_cast<std::size_t>(request.steps)) << group;
  }

  static void add_stage_taps(const ExpectedGroup& expected, std::int64_t index, std::int64_t count,
                             PipelineTaps& taps, FirstDeviation& first) {
    taps.noise = [&expected, &first, index, count](ConstPlanes noise) {
      if (!expected.has("seeded_init_latents")) return;
      Expected drawn = expected.part("seeded_init_latents", index, count);
      drawn.bound = 5e-6;  // what torch's own builds differ by
      first.expect(close_to(drawn, noise.data, static_cast<std::size_t>(noise.size())));
    };
    taps.step = [&expected, &first, index, count](std::size_t i, double t, ConstPlanes positive,
                                                  const float* negative, ConstPlanes latents) {
      const std::string step = "step" + std::to_string(i) + ".";
      const auto size = static_cast<std::size_t>(latents.size());
      const auto time = static_cast<float>(t);
      first.expect(close_to(expected.get(step + "t"), &time, 1));
      if (expected.has(step + "model_out0")) {
        first.expect(close_to(expected.get(step + "model_out0"), positive.data, size));
        EXPECT_EQ(negative != nullptr, expected.has(step + "model_out1")) << step;
        if (negative != nullptr) first.expect(close_to(expected.get(step + "model_out1"), negative, size));
      }
      first.expect(close_to(expected.part(step + "latents", index, count), latents.data, size));
    };
  }

  // With the initial latents that the fixture gives.
  void compare_given_noise(const std::string& group) {
    const auto noise = ExpectedGroup(reference, group).get("init_latents");
    PipelineTaps taps;
    taps.initial_noise = noise.values.data();
    compare(group, request_of(reference, group), 0, 1, taps);
  }

  ReferenceCase reference{"zimage-tiny"};
  std::unique_ptr<Kernels> kernels = GetParam().make();
  OpenedModel pipeline{reference.folder(), *kernels};
  QuietRun run;
};

TEST_P(ZImagePipelineTest, TurboIsThatOfTheReference) {
  compare_given_noise("pipe_turbo");
}

TEST_P(ZImagePipelineTest, NormalizedGuidanceIsThatOfTheReference) {
  compare_given_noise("pipe_cfg");
}

TEST_P(ZImagePipelineTest, TruncatedGuidanceIsThatOfTheReference) {
  compare_given_noise("pipe_cfg_trunc");
}

TEST_P(ZImagePipelineTest, GuidanceWithoutANegativePromptIsThatOfTheReference) {
  compare_given_noise("pipe_cfg_noneg");
}

TEST_P(ZImagePipelineTest, ASeedGivesTheReferencesImage) {
  compare("pipe_seeded", request_of(reference, "pipe_seeded"), 0, 1, {});
}

TEST_P(ZImagePipelineTest, TwoImagesOfOneGeneratorAreThoseOfTheReference) {
  const std::string group = "pipe_seeded_two_images";
  const ImageRequest request = request_of(reference, group);
  std::vector<float> noise(2 * 16 * 12 * 6);
  TorchGenerator(request.seed).randn(noise);
  for (std::int64_t i = 0; i < 2; ++i) {
    PipelineTaps taps;
    taps.initial_noise = noise.data() + i * 16 * 12 * 6;
    compare(group, request, i, 2, taps);
  }
}

TEST_P(ZImagePipelineTest, TwoPromptsOfOneBatchAreThoseOfTheReference) {
  const std::string group = "pipe_seeded_two_prompts";
  ImageRequest request = request_of(reference, group);
  const char* const prompts[] = {"short", "long"};
  for (std::int64_t i = 0; i < 2; ++i) {
    request.prompt = reference.prompt(prompts[i]);
    request.seed = 42 + static_cast<std::uint64_t>(i);
    compare(group, request, i, 2, {});
  }
}

TEST_P(ZImagePipelineTest, TokensAndEmbeddingsAreThoseOfTheReference) {
  const ExpectedGroup expected(reference, "text_encoder");
  for (const std::string key : {"short", "long", "unicode", "negative"}) {
    ImageRequest request;
    request.prompt = reference.prompt(key);
    request.width = request.height = 16;
    request.steps = 1;
    PipelineTaps taps;
    taps.tokens = [&](const auto& ids, bool) {
      EXPECT_EQ(ids, ids_of(expected.get(key + ".input_ids"))) << key;
    };
    taps.embeddings = [&](ConstRows rows, bool) {
      EXPECT_TRUE(close_to(expected.get(key + ".embeds"), rows));
    };
    pipeline.generate(request, run, taps);
  }
}

TEST_P(ZImagePipelineTest, ALongPromptIsCutTo512TokensAfterTemplating) {
  const std::string group = "text_encoder_truncated";
  const ExpectedGroup expected(reference, group);
  ImageRequest request;
  request.prompt =
      reference.json().at("files").at("expected/" + group + ".safetensors").at("params").at("prompt");
  request.width = request.height = 16;
  request.steps = 1;
  PipelineTaps taps;
  taps.tokens = [&](const auto& ids, bool) { EXPECT_EQ(ids, ids_of(expected.get("input_ids"))); };
  taps.embeddings = [&](ConstRows rows, bool) {
    EXPECT_TRUE(close_to(expected.get("embeds_last8"), rows.slice_rows(504, 8)));
  };
  pipeline.generate(request, run, taps);
}

TEST_P(ZImagePipelineTest, RaggedSizesRunAndRepeat) {
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{16, 16}, {48, 80}, {64, 96}, {112, 16}, {176, 176}};
  for (const auto& [width, height] : sizes) {
    ImageRequest request;
    request.prompt = "ragged";
    request.width = width;
    request.height = height;
    request.steps = 2;
    request.guidance = 2;
    const Image image = pipeline.generate(request, run);
    ASSERT_EQ(image.rgb.size(), static_cast<std::size_t>(3 * width * height));
    EXPECT_TRUE(std::ranges::all_of(image.rgb, [](float v) { return v >= 0 && v <= 1; }));
    EXPECT_EQ(pipeline.generate(request, run).rgb, image.rgb) << width << " x " << height;
  }
}

TEST_P(ZImagePipelineTest, EverySamplerRuns) {
  for (const char* const sampler : {"euler", "dpmpp-2m", "dpmpp-2m-sde"}) {
    ImageRequest request;
    request.width = request.height = 32;
    request.steps = 3;
    request.sampler = sampler;
    EXPECT_EQ(pipeline.generate(request, run).rgb.size(), 3U * 32 * 32) << sampler;
  }
}

TEST_P(ZImagePipelineTest, ItDescribesArchitectureAndStoredTypes) {
  const std::string kStored = "bf16 weights, f32 products, f32 sums";
  const std::vector<std::pair<std::string, std::string>> expected = {{"architecture", "z-image"},
                                                                     {"dtype.encode", kStored},
                                                                     {"dtype.denoise", kStored},
                                                                     {"dtype.decode", kStored}};
  EXPECT_EQ(pipeline.describe(), expected);
}

INSTANTIATE_TEST_SUITE_P(Kernels, ZImagePipelineTest, testing::ValuesIn(all_kernels()), name_of_choice);

}  // namespace
}  // namespace engines::test
