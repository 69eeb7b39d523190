// SPDX-License-Identifier: Apache-2.0
// Models whose dimensions are unlike the published ones', stage by stage: what a rounded or assumed dimension
// would get wrong.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/tiny_models.h"

namespace engines::test {
namespace {

using roundhouse::test::kTinyModels;
using roundhouse::test::TinyModel;

// One case of a fixture: compares what a run shows with every tensor that is there for it.
class ExpectedRun {
 public:
  ExpectedRun(const ReferenceCase& reference, std::string name)
      : expected_(reference, "images"), name_(std::move(name)) {}

  PipelineTaps taps() {
    PipelineTaps taps;
    taps.tokens = [this](const auto& ids, bool negative) {
      if (negative) return;
      EXPECT_EQ(ids, ids_of(expected_.get(name_ + ".input_ids")));
      ++ids_;
    };
    taps.embeddings = [this](ConstRows rows, bool negative) {
      compare(negative ? "negative_embeds" : "embeds", rows.data, rows.rows * rows.cols);
    };
    taps.noise = [this](ConstPlanes noise) { compare("noise", noise.data, noise.size(), kNoiseBound); };
    taps.step = [this](std::size_t step, double, ConstPlanes positive, const float* negative,
                       ConstPlanes latents) {
      const std::string of = "step" + std::to_string(step) + ".";
      compare(of + "model_out0", positive.data, positive.size());
      if (negative != nullptr) compare(of + "model_out1", negative, positive.size());
      compare(of + "latents", latents.data, latents.size());
      last_.assign(latents.data, latents.data + latents.size());
    };
    return taps;
  }

  void finish(const Image& image) {
    compare("latents", last_.data(), static_cast<std::int64_t>(last_.size()));
    std::vector<std::uint8_t> levels;
    for (const float value : expected_.get(name_ + ".image_uint8").values)
      levels.push_back(static_cast<std::uint8_t>(value));
    first_.expect(same_image(levels, image.rgb));
    EXPECT_TRUE(first_.result()) << name_;
    EXPECT_EQ(ids_ + first_.seen(), expected_.names(name_ + ".").size()) << name_ << ": stages not compared";
  }

 private:
  static constexpr double kNoiseBound = 5e-6;  // what torch's own builds differ by

  void compare(const std::string& stage, const float* values, std::int64_t count, double bound = 0) {
    const std::string tensor = name_ + "." + stage;
    if (!expected_.has(tensor)) return;
    Expected there = expected_.get(tensor);
    if (bound > 0) there.bound = bound;
    first_.expect(close_to(there, values, static_cast<std::size_t>(count)));
  }

  const ExpectedGroup expected_;
  const std::string name_;
  std::vector<float> last_;
  FirstDeviation first_;
  std::size_t ids_ = 0;
};

class OddModel : public testing::TestWithParam<std::tuple<TinyModel, KernelsChoice>> {
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
    request.cfg_normalization = params.value("cfg_normalization", 0.0);
    request.cfg_truncation = params.value("cfg_truncation", 1.0);
    return request;
  }

  void compare(const std::string& name) {
    ExpectedRun expected(reference, name);
    expected.finish(pipeline.generate(request_of(name), run, expected.taps()));
  }

  const TinyModel model = std::get<0>(GetParam());
  ReferenceCase reference{model.fixture};
  std::unique_ptr<Kernels> kernels = std::get<1>(GetParam()).make();
  OpenedModel pipeline{reference.folder(), *kernels};
  QuietRun run;
};

// 3 channels of 2 x 2 latents are fewer normals than torch draws in a block.
TEST_P(OddModel, TheSmallestImageIsThatOfTheReference) {
  compare("tiny");
}

TEST_P(OddModel, AGuidedImageIsThatOfTheReference) {
  compare("guided");
}

// As wide as Z-Image's positions reach, with a caption that is padded or cut.
TEST_P(OddModel, AWideImageIsThatOfTheReference) {
  compare("wide");
}

TEST_P(OddModel, DescribesItsArchitecture) {
  const std::pair<std::string, std::string> fact{"architecture", model.name};
  EXPECT_EQ(pipeline.describe().front(), fact);
}

std::string name_of_both(const testing::TestParamInfo<std::tuple<TinyModel, KernelsChoice>>& both) {
  return identifier_of(std::get<0>(both.param)) + "_" + std::get<1>(both.param).name;
}
INSTANTIATE_TEST_SUITE_P(Models, OddModel,
                         testing::Combine(testing::ValuesIn(kTinyModels), testing::ValuesIn(all_kernels())),
                         name_of_both);

}  // namespace
}  // namespace engines::test
