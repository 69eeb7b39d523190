// SPDX-License-Identifier: Apache-2.0
// The embedded pocket models against what diffusers made of them: embeddings, noise, latents, pictures.
#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <fstream>

#include "engines/pipeline/zimage_pipeline.h"
#include "tests/engines/pipeline/first_deviation.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

const std::filesystem::path kExpected = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "pocket";

std::vector<std::uint8_t> read_png(const std::filesystem::path& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) throw std::runtime_error(image.message);
  image.format = PNG_FORMAT_RGB;
  std::vector<std::uint8_t> rgb(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, rgb.data(), 0, nullptr) == 0)
    throw std::runtime_error(image.message);
  return rgb;
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
  std::ifstream in(kExpected / "cases.json");
  const auto cases = nlohmann::json::parse(in).at("cases");
  std::vector<PocketCase> all;
  for (const auto& kernels : all_kernels()) {
    for (const auto& params : cases) {
      if (kernels.fast || params.at("case") == "turbo-boat-wide") all.push_back({kernels, params});
    }
  }
  return all;
}

class PocketPicture : public testing::TestWithParam<PocketCase> {
 protected:
  const nlohmann::json params = GetParam().params;
  const std::string name = params.at("case");
  const SafetensorsFile expected{kExpected / (name + ".safetensors")};
  FirstDeviation first;

  ImageRequest request() const {
    ImageRequest request;
    request.prompt = params.at("prompt");
    request.seed = params.at("seed");
    request.width = params.at("width");
    request.height = params.at("height");
    request.steps = params.at("steps");
    request.guidance = params.at("guidance_scale");
    return request;
  }

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

TEST_P(PocketPicture, IsThatOfDiffusers) {
  const auto kernels = GetParam().kernels.make();
  ZImagePipeline pipeline(std::filesystem::path(ROUNDHOUSE_MODELS) / params.at("model").get<std::string>(),
                          *kernels);
  QuietRun run;
  const Picture picture = pipeline.generate(request(), run, taps());
  first.expect(same_picture(read_png(kExpected / (name + ".png")), picture.rgb));
  EXPECT_TRUE(first.result()) << name;
  EXPECT_EQ(first.seen(), 4U) << "embeddings, noise, latents, picture";
}

std::string name_of_case(const testing::TestParamInfo<PocketCase>& info) {
  std::string name = info.param.params.at("case");
  std::ranges::replace(name, '-', '_');
  return name + "_" + info.param.kernels.name;
}

INSTANTIATE_TEST_SUITE_P(Pocket, PocketPicture, testing::ValuesIn(pocket_cases()), name_of_case);

}  // namespace
}  // namespace engines::test
