// SPDX-License-Identifier: Apache-2.0
// A model whose dimensions are unlike the published ones', stage by stage: what a rounded or assumed
// dimension would get wrong.
#include <gtest/gtest.h>

#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

class OddModel : public testing::TestWithParam<KernelsChoice> {
 protected:
  ImageRequest request_of(const std::string& name) const {
    const auto& params = reference.json().at("params").at("cases").at(name);
    ImageRequest request;
    request.prompt = reference.prompt(params.at("prompt"));
    request.negative_prompt = reference.prompt(params.at("negative_prompt"));
    request.height = params.at("size").at(0);
    request.width = params.at("size").at(1);
    request.seed = params.at("seed");
    request.steps = params.at("steps");
    request.guidance = params.at("guidance_scale");
    request.cfg_normalization = params.at("cfg_normalization");
    request.cfg_truncation = params.at("cfg_truncation");
    return request;
  }

  // Generates a case and compares each stage that the fixture holds; `stages` is how many those are.
  void compare(const std::string& name, std::size_t stages) {
    const ImageRequest request = request_of(name);
    const auto tensor = [&](const char* stage) { return name + "." + stage; };
    FirstDeviation first;
    PipelineTaps taps;
    taps.tokens = [&](const auto& ids, bool negative) {
      if (negative) return;
      EXPECT_EQ(ids, ids_of(expected.get(tensor("input_ids"))));
    };
    taps.embeddings = [&](ConstRows rows, bool negative) {
      if (!negative && expected.has(tensor("embeds")))
        first.expect(close_to(expected.get(tensor("embeds")), rows));
    };
    taps.noise = [&](ConstPlanes noise) {
      if (!expected.has(tensor("noise"))) return;
      Expected drawn = expected.get(tensor("noise"));
      drawn.bound = 5e-6;  // what torch's own builds differ by
      first.expect(close_to(drawn, noise.data, static_cast<std::size_t>(noise.size())));
    };
    taps.step = [&](std::size_t step, double, ConstPlanes, const float*, ConstPlanes latents) {
      if (step + 1 != static_cast<std::size_t>(request.steps)) return;
      first.expect(
          close_to(expected.get(tensor("latents")), latents.data, static_cast<std::size_t>(latents.size())));
    };
    const Image picture = pipeline.generate(request, run, taps);
    std::vector<std::uint8_t> levels;
    for (const float value : expected.get(tensor("image_uint8")).values)
      levels.push_back(static_cast<std::uint8_t>(value));
    first.expect(same_picture(levels, picture.rgb));
    EXPECT_TRUE(first.result()) << name;
    EXPECT_EQ(first.seen(), stages) << name;
  }

  ReferenceCase reference{"zimage-odd"};
  ExpectedGroup expected{reference, "pictures"};
  std::unique_ptr<Kernels> kernels = GetParam().make();
  OpenedModel pipeline{reference.folder(), *kernels};
  QuietRun run;
};

// 3 channels of 2 x 2 latents are fewer normals than torch draws in a block.
TEST_P(OddModel, TheSmallestPictureIsThatOfTheReference) {
  compare("tiny", 3);
}

TEST_P(OddModel, AGuidedPictureIsThatOfTheReference) {
  compare("guided", 4);
}

// The caption, padded to 64, and the width end where the model's positions do.
TEST_P(OddModel, APictureAsWideAsThePositionsReachIsThatOfTheReference) {
  compare("wide", 2);
}

INSTANTIATE_TEST_SUITE_P(Kernels, OddModel, testing::ValuesIn(all_kernels()), name_of_choice);

}  // namespace
}  // namespace engines::test
