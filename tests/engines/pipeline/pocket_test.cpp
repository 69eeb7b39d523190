// SPDX-License-Identifier: Apache-2.0
// The embedded pocket models against what diffusers made of them: embeddings, noise, latents, images.
#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/pipeline/rounding_kernels.h"

namespace engines::test {
namespace {

const std::filesystem::path kExpected = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "pocket";

std::vector<std::uint8_t> read_png(const std::filesystem::path& file, png_uint_32 form = PNG_FORMAT_RGB) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) throw std::runtime_error(image.message);
  image.format = form;
  std::vector<std::uint8_t> rgb(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr) == 0)
    throw std::runtime_error(image.message);
  return rgb;
}

nlohmann::json all_params(const char* cases = "cases") {
  std::ifstream in(kExpected / "cases.json");
  return nlohmann::json::parse(in).at(cases);
}

InitImage init_of(const nlohmann::json& params) {
  InitImage init;
  init.strength = params.at("strength");
  for (const std::uint8_t level : read_png(kExpected / params.at("image").get<std::string>()))
    init.rgb.push_back(static_cast<float>(level) / 255);
  if (!params.at("mask").is_null())
    init.mask = read_png(kExpected / params.at("mask").get<std::string>(), PNG_FORMAT_GRAY);
  return init;
}

ImageRequest request_of(const nlohmann::json& params) {
  ImageRequest request;
  request.prompt = params.at("prompt");
  request.seed = params.at("seed");
  request.width = params.at("width");
  request.height = params.at("height");
  request.steps = params.at("steps");
  request.guidance = params.at("guidance_scale");
  if (params.contains("image")) request.init = init_of(params);
  return request;
}

Image image_of(const nlohmann::json& params, Kernels& kernels, const PipelineTaps& taps) {
  OpenedModel pipeline(std::filesystem::path(ROUNDHOUSE_MODELS) / params.at("model").get<std::string>(),
                       kernels);
  QuietRun run;
  return pipeline.generate(request_of(params), run, taps);
}

struct PocketCase {
  KernelsChoice kernels;
  nlohmann::json params;
};

void PrintTo(const PocketCase& c, std::ostream* out) {
  *out << c.params.at("case") << " on " << c.kernels.name;
}

// The reference kernels are slow by design: they do the smallest case only.
std::vector<PocketCase> pocket_cases() {
  const auto cases = all_params();
  std::vector<PocketCase> all;
  for (const auto& kernels : all_kernels()) {
    for (const auto& params : cases) {
      if (kernels.fast || params.at("case") == "turbo-boat-wide") all.push_back({kernels, params});
    }
  }
  return all;
}

class PocketImage : public testing::TestWithParam<PocketCase> {
 protected:
  const nlohmann::json params = GetParam().params;
  const std::string name = params.at("case");
  const SafetensorsFile expected{kExpected / (name + ".safetensors")};
  FirstDeviation first;

  PipelineTaps taps() {
    PipelineTaps taps;
    taps.tokens = [this](const std::vector<std::int32_t>& ids, bool negative) {
      if (negative) return;
      EXPECT_EQ(ids, params.at("token_ids").get<std::vector<std::int32_t>>());
    };
    taps.embeddings = [this](ConstRows rows, bool negative) {
      if (!negative) first.expect(close_to(load(expected, "prompt_embeds"), rows));
    };
    taps.noise = [this](ConstPlanes noise) {
      auto drawn = load(expected, "noise");
      drawn.bound = 5e-6;  // what torch's own builds differ by
      first.expect(close_to(drawn, noise.data, static_cast<std::size_t>(noise.size())));
    };
    taps.step = [this](std::size_t step, double, ConstPlanes, const float*, ConstPlanes latents) {
      if (step + 1 != params.at("steps").get<std::size_t>()) return;
      auto last = load(expected, "latents");
      // Two float32 implementations of this very case differed by that much; 1e-4 of the peak at least.
      last.bound = std::max(last.bound, 20 * params.at("latent_difference_ours_vs_diffusers").get<double>());
      first.expect(close_to(last, latents.data, static_cast<std::size_t>(latents.size())));
    };
    return taps;
  }
};

TEST_P(PocketImage, IsThatOfDiffusers) {
  const Image image = image_of(params, *GetParam().kernels.make(), taps());
  first.expect(same_image(read_png(kExpected / (name + ".png")), image.rgb));
  EXPECT_TRUE(first.result()) << name;
  EXPECT_EQ(first.seen(), 4U) << "embeddings, noise, latents, image";
}

// Those that begin with an image; the reference kernels have the tiny model for that.
TEST(PocketInitImage, IsThatOfDiffusers) {
  for (const nlohmann::json& params : all_params("init_cases")) {
    const std::string name = params.at("case");
    const SafetensorsFile expected(kExpected / (name + ".safetensors"));
    for (const KernelsChoice& choice : all_kernels()) {
      if (!choice.fast) continue;
      FirstDeviation first;
      PipelineTaps taps;
      taps.noise = [&](ConstPlanes noise) {
        Expected drawn = load(expected, "draw1");
        drawn.bound = 5e-6;  // what torch's own builds differ by
        first.expect(close_to(drawn, noise.data, static_cast<std::size_t>(noise.size())));
      };
      taps.step = [&](std::size_t step, double, ConstPlanes, const float*, ConstPlanes latents) {
        const Expected after = load(expected, "step" + std::to_string(step) + ".latents");
        first.expect(close_to(after, latents.data, static_cast<std::size_t>(latents.size())));
      };
      const Image image = image_of(params, *choice.make(), taps);
      first.expect(same_image(read_png(kExpected / (name + ".png")), image.rgb));
      EXPECT_TRUE(first.result()) << name << " on " << choice.name;
      EXPECT_EQ(first.seen(), params.at("mask").is_null() ? 7U : 10U);
    }
  }
}

// Root of the mean square of the difference between an image and the fixture's, in levels, and the greatest.
struct ImageError {
  double mean = 0, greatest = 0;
  double psnr() const { return 20 * std::log10(255 / mean); }
};

ImageError image_error(const std::vector<std::uint8_t>& expected, const std::vector<float>& rgb) {
  ImageError error;
  double sum = 0;
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const double difference = std::abs(std::nearbyint(255.0 * rgb[i]) - expected[i]);
    sum += difference * difference;
    error.greatest = std::max(error.greatest, difference);
  }
  error.mean = std::sqrt(sum / static_cast<double>(rgb.size()));
  return error;
}

std::string name_of_case(const testing::TestParamInfo<PocketCase>& info) {
  std::string name = info.param.params.at("case");
  std::ranges::replace(name, '-', '_');
  return name + "_" + info.param.kernels.name;
}

INSTANTIATE_TEST_SUITE_P(Pocket, PocketImage, testing::ValuesIn(pocket_cases()), name_of_case);

// After eight steps of rounding the image is another one, and no worse: it is held to what rounding costs.
TEST(PocketBf16Products, CostAnImageWhatRoundingCosts) {
  if (best_onednn_products() != Dtype::bf16) GTEST_SKIP() << "this processor has no products in bf16";
  for (const auto& params : all_params()) {
    if (params.at("model") != "pocket-turbo") continue;  // the other takes minutes
    const std::string name = params.at("case");
    const auto expected = read_png(kExpected / (name + ".png"));
    const auto rounding = make_rounding_kernels(make_onednn_kernels(2, Dtype::f32));
    const auto onednn = make_onednn_kernels(2, Dtype::bf16);
    const ImageError allowed = image_error(expected, image_of(params, *rounding, {}).rgb);
    const ImageError actual = image_error(expected, image_of(params, *onednn, {}).rgb);
    EXPECT_LE(actual.mean, 2 * allowed.mean) << name;
    for (const auto& [who, error] : {std::pair("rounding", allowed), std::pair("onednn", actual)}) {
      RecordProperty(name + "." + who + ".psnr", std::to_string(error.psnr()));
      RecordProperty(name + "." + who + ".greatest", std::to_string(error.greatest));
    }
  }
}

}  // namespace
}  // namespace engines::test
