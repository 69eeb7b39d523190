// SPDX-License-Identifier: Apache-2.0
// Previews: what they show, what they cost, and that they change nothing.
#include "engines/pipeline/preview.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/pipeline/values.h"
#include "tests/engines/pipeline/opened_model.h"
#include "tests/tiny_models.h"

namespace engines {
namespace {

const std::filesystem::path kModel = std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny";

// Wants a preview after every `every`-th step but the last.
struct Onlooker : QuietRun {
  explicit Onlooker(std::uint32_t every_step, std::uint32_t all_steps)
      : every(every_step), steps(all_steps) {}
  void stage_done(const StageReport& report) override {
    if (report.stage == Stage::denoise) denoise = report;
  }
  bool wants_preview(std::uint32_t step) override { return every > 0 && step % every == 0 && step < steps; }
  void preview(std::int64_t w, std::int64_t h, std::span<const float> values) override {
    ++previews;
    width = w;
    height = h;
    rgb.assign(values.begin(), values.end());
  }

  std::uint32_t every, steps, previews = 0;
  std::int64_t width = 0, height = 0;
  std::vector<float> rgb;
  StageReport denoise;
};

ImageRequest small_request() {
  ImageRequest request;
  request.prompt = "a red fox";
  request.width = 48;
  request.height = 32;
  request.steps = 4;
  request.seed = 7;
  return request;
}

class PreviewOf : public testing::TestWithParam<roundhouse::test::TinyModel> {
 protected:
  std::unique_ptr<Kernels> kernels = make_openblas_kernels(2);
  test::OpenedModel pipeline{GetParam().folder(), *kernels};
};

TEST_P(PreviewOf, ChangesNoBitOfTheImage) {
  for (const char* sampler : {"euler", "dpmpp-2m", "dpmpp-2m-sde"}) {
    for (const double guidance : {0.0, 2.0}) {
      ImageRequest request = small_request();
      request.sampler = sampler;
      request.guidance = guidance;
      Onlooker nobody(0, 4), everything(1, 4), sometimes(2, 4);
      const Image plain = pipeline.generate(request, nobody);
      EXPECT_EQ(pipeline.generate(request, everything).rgb, plain.rgb) << sampler << guidance;
      EXPECT_EQ(pipeline.generate(request, sometimes).rgb, plain.rgb) << sampler << guidance;
      EXPECT_EQ(nobody.previews, 0U);
      EXPECT_EQ(everything.previews, 3U);
      EXPECT_EQ(sometimes.previews, 1U);
    }
  }
}

TEST_P(PreviewOf, ItsCostIsTold) {
  Onlooker nobody(0, 4), everything(1, 4);
  pipeline.generate(small_request(), nobody);
  pipeline.generate(small_request(), everything);
  EXPECT_EQ(nobody.denoise.preview_ns, 0U);
  EXPECT_GT(everything.denoise.preview_ns, 0U);
  EXPECT_LE(everything.denoise.preview_ns, everything.denoise.elapsed_ns);
  EXPECT_GT(everything.denoise.operations, nobody.denoise.operations);
  EXPECT_GT(everything.denoise.activation_bytes, nobody.denoise.activation_bytes);
}

INSTANTIATE_TEST_SUITE_P(Models, PreviewOf, testing::ValuesIn(roundhouse::test::kTinyModels),
                         roundhouse::test::name_of_model);

// Powers of two, so that differences and means are exact and the decoder gets the very same latents.
TEST(Preview, IsTheDecodedMeanOfThePrediction) {
  const auto kernels = make_reference_kernels();
  const AutoencoderKL vae(kModel / "vae", *kernels);
  const std::int64_t channels = vae.config().latent_channels;
  constexpr std::int64_t kHeight = 4;
  constexpr std::int64_t kWidth = 20;  // squares of 2
  FloatBuffer x(static_cast<std::size_t>(channels * kHeight * kWidth)), v(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<float>(i % 7) / 4 - 1;
    v.data()[i] = static_cast<float>(i % 5) / 2 - 1;
  }
  FloatBuffer means(static_cast<std::size_t>(channels * kHeight / 2 * kWidth / 2));
  const auto predicted = [&](std::int64_t channel, std::int64_t row, std::int64_t column) {
    const auto at = static_cast<std::size_t>((channel * kHeight + row) * kWidth + column);
    return x.data()[at] - 0.5F * v.data()[at];
  };
  float* mean = means.data();
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (std::int64_t row = 0; row < kHeight; row += 2) {
      for (std::int64_t column = 0; column < kWidth; column += 2)
        *mean++ = (predicted(channel, row, column) + predicted(channel, row, column + 1) +
                   predicted(channel, row + 1, column) + predicted(channel, row + 1, column + 1)) /
                  4;
    }
  }
  const std::int64_t scale = vae.config().scale();
  const FloatBuffer planes(static_cast<std::size_t>(3 * kHeight / 2 * scale * kWidth / 2 * scale));
  QuietRun quiet;
  vae.decode({means.data(), channels, kHeight / 2, kWidth / 2},
             {planes.data(), 3, kHeight / 2 * scale, kWidth / 2 * scale}, quiet);

  Preview preview(vae, channels, kHeight, kWidth);
  preview.take({x.data(), channels, kHeight, kWidth}, {v.data(), v.size()}, 0.5F);
  Onlooker onlooker(1, 2);
  preview.show(onlooker, kDecodeBudget);
  EXPECT_EQ(onlooker.height, kHeight / 2 * scale);
  EXPECT_EQ(onlooker.width, kWidth / 2 * scale);
  EXPECT_EQ(onlooker.rgb, interleaved({planes.data(), planes.size()}));
  EXPECT_LE(preview.least_bytes(), preview.activation_bytes());
}

TEST(Preview, IsSmallHoweverLargeTheImageIs) {
  const auto kernels = make_reference_kernels();
  const AutoencoderKL vae(kModel / "vae", *kernels);
  const std::int64_t channels = vae.config().latent_channels;
  const std::int64_t scale = vae.config().scale();
  struct Case {
    std::int64_t height, width, shown_height, shown_width;
  };
  for (const Case& size : {Case{1, 1, 1, 1}, Case{16, 3, 16, 3}, Case{17, 2, 9, 1}, Case{32, 32, 16, 16},
                           Case{1, 256, 1, 32}, Case{65, 33, 22, 11}}) {
    FloatBuffer x(static_cast<std::size_t>(channels * size.height * size.width)), v(x.size());
    std::fill_n(x.data(), x.size(), 0.0F);
    std::fill_n(v.data(), v.size(), 0.0F);
    Preview preview(vae, channels, size.height, size.width);
    preview.take({x.data(), channels, size.height, size.width}, {v.data(), v.size()}, 1);
    Onlooker onlooker(1, 2);
    preview.show(onlooker, kDecodeBudget);
    EXPECT_EQ(onlooker.height, size.shown_height * scale) << size.height << "x" << size.width;
    EXPECT_EQ(onlooker.width, size.shown_width * scale) << size.height << "x" << size.width;
  }
}

TEST(Preview, NumbersThatWentBadAreAnError) {
  const auto kernels = make_reference_kernels();
  const AutoencoderKL vae(kModel / "vae", *kernels);
  const std::int64_t channels = vae.config().latent_channels;
  FloatBuffer x(static_cast<std::size_t>(channels)), v(x.size());
  std::fill_n(x.data(), x.size(), std::numeric_limits<float>::quiet_NaN());
  std::fill_n(v.data(), v.size(), 0.0F);
  Preview preview(vae, channels, 1, 1);
  preview.take({x.data(), channels, 1, 1}, {v.data(), v.size()}, 1);
  Onlooker onlooker(1, 2);
  try {
    preview.show(onlooker, kDecodeBudget);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_PIPELINE_ERROR);
    EXPECT_NE(std::string(error.what()).find("values of the preview are not finite"), std::string::npos);
  }
  EXPECT_EQ(onlooker.previews, 0U);
}

}  // namespace
}  // namespace engines
