// SPDX-License-Identifier: Apache-2.0
// Models whose products are oneDNN's in bf16. What rounding the operands costs is measured here, with exact
// kernels that do nothing else (rounding_kernels.h): oneDNN may be twice as far from the fixture and no
// further.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "engines/diffusion/zimage_session.h"
#include "engines/diffusion/zimage_transformer.h"
#include "engines/kernels/onednn/onednn_kernels.h"
#include "engines/text/qwen3_encoder.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/pipeline/rounding_kernels.h"

namespace engines::test {
namespace {

// By stage: the norm of the difference from the fixture, in terms of the fixture's norm.
using Errors = std::map<std::string, double>;

double relative_error(const Expected& expected, const float* values) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    difference += std::pow(double{values[i]} - expected.values[i], 2);
    norm += std::pow(double{expected.values[i]}, 2);
  }
  return std::sqrt(difference / norm);
}

class Bf16Products : public testing::Test {
 protected:
  void SetUp() override {
    if (best_onednn_products() != Dtype::bf16) GTEST_SKIP() << "this processor has no products in bf16";
  }

  // `measure` gives the errors of a model that runs on the given kernels.
  template <class Measure>
  void compare(const Measure& measure) {
    const auto rounding = make_rounding_kernels(make_reference_kernels());
    const auto onednn = make_onednn_kernels(2, Dtype::bf16);
    const Errors allowed = measure(*rounding);
    const Errors actual = measure(*onednn);
    ASSERT_EQ(actual.size(), allowed.size());
    for (const auto& [stage, error] : allowed) {
      EXPECT_GT(error, 1e-5) << stage << ": nothing was rounded";
      EXPECT_LE(actual.at(stage), 2 * error) << stage;
      RecordProperty(stage, std::to_string(actual.at(stage) / error));
    }
  }

  QuietRun run;
};

TEST_F(Bf16Products, OfTheTextEncoderCostWhatRoundingCosts) {
  const ReferenceCase reference("zimage-tiny");
  const ExpectedGroup expected(reference, "text_encoder");
  compare([&](Kernels& kernels) {
    const Qwen3Encoder encoder(reference.folder() / "text_encoder", kernels);
    Errors errors;
    for (const std::string prompt : {"short", "long", "unicode"}) {
      const auto hidden = encoder.encode(ids_of(expected.get(prompt + ".input_ids")), run);
      errors[prompt] = relative_error(expected.get(prompt + ".embeds"), hidden.data());
    }
    return errors;
  });
}

TEST_F(Bf16Products, OfTheTransformersCostWhatRoundingCosts) {
  for (const std::string name : {"zimage-tiny", "zimage-wide-dit"}) {
    const ReferenceCase reference(name);
    const ExpectedGroup expected(reference, "dit");
    const auto latent = expected.get("latent"), caption = expected.get("cap_feats");
    const ConstPlanes x(latent.values.data(), latent.shape[0], latent.shape[2], latent.shape[3]);
    compare([&](Kernels& kernels) {
      const ZImageTransformer transformer(reference.folder() / "transformer", kernels);
      const auto session = transformer.begin(caption.rows(), x.height, x.width);
      Errors errors;
      for (const std::string t : {"0.3", "0.9"}) {
        std::vector<float> out(latent.values.size());
        session->forward(x, std::stod(t), Planes{out.data(), x.channels, x.height, x.width}, run);
        errors[name + " at " + t] = relative_error(expected.get("out.t" + t), out.data());
      }
      return errors;
    });
  }
}

TEST_F(Bf16Products, OfWholeImagesCostWhatRoundingCosts) {
  const ReferenceCase reference("zimage-odd");
  const ExpectedGroup expected(reference, "images");
  for (const std::string name : {"guided", "wide"}) {
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
    compare([&](Kernels& kernels) {
      OpenedModel pipeline(reference.folder(), kernels);
      Errors errors;
      PipelineTaps taps;
      taps.step = [&](std::size_t step, double, ConstPlanes, const float*, ConstPlanes latents) {
        if (step + 1 == static_cast<std::size_t>(request.steps))
          errors[name + ", latents"] = relative_error(expected.get(name + ".latents"), latents.data);
      };
      std::vector<float> levels = pipeline.generate(request, run, taps).rgb;
      for (float& level : levels)
        level *= 255;
      errors[name + ", image"] = relative_error(expected.get(name + ".image_uint8"), levels.data());
      return errors;
    });
  }
}

TEST_F(Bf16Products, AreToldOfEachStageAndNotUsedForTheDecoder) {
  const ReferenceCase reference("zimage-tiny");
  const auto kernels = make_onednn_kernels(1, Dtype::bf16);
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"architecture", "z-image"},
      {"dtype.encode", "bf16 weights, bf16 products, f32 sums"},
      {"dtype.denoise", "bf16 weights, bf16 products, f32 sums"},
      {"dtype.decode", "bf16 weights, f32 products, f32 sums"}};
  EXPECT_EQ(OpenedModel(reference.folder(), *kernels).describe(), expected);
}

}  // namespace
}  // namespace engines::test
