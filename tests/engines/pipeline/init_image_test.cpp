// SPDX-License-Identifier: Apache-2.0
// Images that begin with another, and those of which a part stays, against the reference's, stage by stage.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

// A fixture of its own folder, over the model of zimage-tiny.
struct InitCase {
  explicit InitCase(const std::string& folder, const std::string& group)
      : reference(folder), expected(reference, group) {
    const auto& params = reference.json().at("params");
    request.prompt = params.at("prompt");
    request.negative_prompt = params.at("negative_prompt");
    request.height = params.at("size").at(0);
    request.width = params.at("size").at(1);
    request.steps = params.at("steps");
    request.guidance = params.at("cfg");
    request.seed = params.at("seed");
    request.init.emplace();
    request.init->strength = params.at("strength");
    for (const float level : expected.get("init_image_uint8").values)
      request.init->rgb.push_back(level / 255);
    if (!expected.has("mask_uint8")) return;
    for (const float level : expected.get("mask_uint8").values)
      request.init->mask.push_back(static_cast<std::uint8_t>(level));
  }

  ReferenceCase reference;
  ExpectedGroup expected;
  ImageRequest request;
};

class InitImageTest : public testing::TestWithParam<KernelsChoice> {
 protected:
  void compare(const InitCase& given) {
    FirstDeviation first;
    const auto expect = [&](const std::string& name, const float* values, std::int64_t size) {
      if (given.expected.has(name))
        first.expect(close_to(given.expected.get(name), values, static_cast<std::size_t>(size)));
    };
    PipelineTaps taps;
    taps.init = [&](ConstPlanes latents) { expect("image_latents", latents.data, latents.size()); };
    taps.noise = [&](ConstPlanes noise) {
      if (!given.expected.has("draw1_noise")) return;
      Expected drawn = given.expected.get("draw1_noise");
      drawn.bound = 5e-6;  // what torch's own builds differ by
      first.expect(close_to(drawn, noise.data, static_cast<std::size_t>(noise.size())));
    };
    std::size_t steps = 0;
    taps.step = [&](std::size_t i, double t, ConstPlanes output, const float*, ConstPlanes latents) {
      const std::string step = "step" + std::to_string(i) + ".";
      const auto time = static_cast<float>(t);
      expect(step + "t", &time, 1);
      expect(step + "model_out0", output.data, output.size());
      expect(step + "latents", latents.data, latents.size());
      steps = i + 1;
    };
    const Image image = pipeline.generate(given.request, run, taps);
    std::vector<std::uint8_t> levels;
    for (const float level : given.expected.get("image_uint8").values)
      levels.push_back(static_cast<std::uint8_t>(level));
    first.expect(same_image(levels, image.rgb));
    EXPECT_TRUE(first.result());
    EXPECT_EQ(steps, 3U);
    EXPECT_GE(first.seen(), 1 + 3 * steps);
  }

  std::unique_ptr<Kernels> kernels = GetParam().make();
  OpenedModel pipeline{ReferenceCase("zimage-tiny").folder(), *kernels};
  QuietRun run;
};

TEST_P(InitImageTest, AnImageOfAnImageIsThatOfTheReference) {
  compare(InitCase("zimage-img2img", "img2img"));
}

TEST_P(InitImageTest, AnImageWithAPartThatStaysIsThatOfTheReference) {
  compare(InitCase("zimage-inpaint", "inpaint"));
}

TEST_P(InitImageTest, AMaskThatDrawsAllAnewChangesNothing) {
  ImageRequest request = InitCase("zimage-img2img", "img2img").request;
  const auto without = pipeline.generate(request, run).rgb;
  request.init->mask.assign(request.init->rgb.size() / 3, 255);
  EXPECT_EQ(pipeline.generate(request, run).rgb, without);
}

// What a mask keeps is the image as the autoencoder gives it back, whatever the prompt.
TEST_P(InitImageTest, AMaskThatKeepsAllGivesTheImageThroughTheAutoencoder) {
  ImageRequest request = InitCase("zimage-img2img", "img2img").request;
  request.init->mask.assign(request.init->rgb.size() / 3, 0);
  const auto kept = pipeline.generate(request, run).rgb;
  request.prompt = "something else";
  request.steps = 2;
  request.init->strength = 1;
  EXPECT_EQ(pipeline.generate(request, run).rgb, kept);
}

TEST_P(InitImageTest, FullStrengthIsTheImageOfTheSecondNoise) {
  ImageRequest request = InitCase("zimage-img2img", "img2img").request;
  request.init->strength = 1;
  std::vector<float> noise;
  PipelineTaps taps;
  taps.noise = [&](ConstPlanes drawn) { noise.assign(drawn.data, drawn.data + drawn.size()); };
  const auto whole = pipeline.generate(request, run, taps).rgb;
  request.init.reset();
  taps = {};
  taps.initial_noise = noise.data();
  EXPECT_EQ(pipeline.generate(request, run, taps).rgb, whole);
}

TEST_P(InitImageTest, EverySamplerBeginsWithAnImage) {
  ImageRequest request = InitCase("zimage-inpaint", "inpaint").request;
  for (const char* const sampler : {"euler", "dpmpp-2m", "dpmpp-2m-sde"}) {
    request.sampler = sampler;
    request.guidance = 2;
    const auto once = pipeline.generate(request, run).rgb;
    EXPECT_EQ(pipeline.generate(request, run).rgb, once) << sampler;
  }
}

TEST_P(InitImageTest, WhatDoesNotFitIsRefusedByName) {
  const ImageRequest sound = InitCase("zimage-inpaint", "inpaint").request;
  const auto refusal = [&](auto change) -> std::string {
    ImageRequest request = sound;
    change(*request.init);
    try {
      pipeline.generate(request, run);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal([](InitImage& init) { init.rgb.pop_back(); }).find("init_image: 18431 values"), 0U);
  EXPECT_EQ(refusal([](InitImage& init) { init.mask.pop_back(); }).find("mask: 6143 values"), 0U);
  for (const double strength : {0.0, -1.0, 1.01, std::nan("")})
    EXPECT_EQ(refusal([&](InitImage& init) { init.strength = strength; }).find("strength: "), 0U);
}

INSTANTIATE_TEST_SUITE_P(Kernels, InitImageTest, testing::ValuesIn(all_kernels()), name_of_choice);

TEST(SkippedSteps, AreThoseOfDiffusers) {
  const auto skipped = [](std::int64_t steps, double strength) {
    ImageRequest request;
    request.steps = steps;
    request.init = InitImage{{}, {}, strength};
    return request.skipped_steps();
  };
  EXPECT_EQ(ImageRequest{}.skipped_steps(), 0);
  EXPECT_EQ(skipped(5, 0.6), 2);
  EXPECT_EQ(skipped(8, 0.6), 3);  // 4.8 steps: five are done
  EXPECT_EQ(skipped(5, 0.33), 3);
  EXPECT_EQ(skipped(8, 1), 0);
  EXPECT_EQ(skipped(8, 1e-9), 7);  // one is always done
  EXPECT_EQ(skipped(1, 0.01), 0);
}

}  // namespace
}  // namespace engines::test
