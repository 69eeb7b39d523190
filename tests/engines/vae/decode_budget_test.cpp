// SPDX-License-Identifier: Apache-2.0
// The image does not depend on how much memory a decode may use, and that memory is known beforehand.
#include <limits>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/vae/autoencoder_kl.h"
#include "engines/vae/autoencoder_weights.h"
#include "engines/vae/up_levels.h"
#include "tests/engines/sampling/fixture.h"
#include "tests/engines/vae/vae_folder.h"

namespace engines::testing {
namespace {

constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

std::vector<float> noise(std::int64_t size) {
  std::vector<float> out(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(i * 7919 % 1009) / 504.0F - 1;
  return out;
}

struct Latents {
  std::int64_t height, width;
};

std::vector<float> decode(const AutoencoderKL& vae, const Latents& size, std::size_t budget,
                          engines::Run& run) {
  const std::int64_t scale = vae.config().scale();
  const std::vector<float> latents = noise(vae.config().latent_channels * size.height * size.width);
  std::vector<float> image(static_cast<std::size_t>(3 * scale * scale * size.height * size.width));
  vae.decode({latents.data(), vae.config().latent_channels, size.height, size.width},
             {image.data(), 3, scale * size.height, scale * size.width}, run, {}, budget);
  return image;
}

std::size_t predicted(const AutoencoderKL& vae, const Latents& size, std::size_t budget) {
  return decode_bytes(vae.config(), vae.config().scale() * size.height, vae.config().scale() * size.width,
                      budget);
}

// The budgets between nothing and everything that make different plans.
std::vector<std::size_t> budgets(const AutoencoderKL& vae, const Latents& size) {
  const std::size_t all = predicted(vae, size, kUnlimited);
  return {0, all / 2, all * 6 / 10, all * 7 / 10, all * 8 / 10, all * 95 / 100, all - 1, all, kUnlimited};
}

void expect_one_image(const AutoencoderKL& vae, Kernels& kernels, const Latents& size) {
  const std::string name = std::to_string(size.height) + " x " + std::to_string(size.width) + " latents";
  QuietRun run;
  std::uint64_t operations = kernels.operations();
  const std::vector<float> whole = decode(vae, size, kUnlimited, run);
  operations = kernels.operations() - operations;
  for (const std::size_t budget : budgets(vae, size)) {
    const std::uint64_t before = kernels.operations();
    EXPECT_EQ(decode(vae, size, budget, run), whole) << name << " in " << budget << " bytes";
    EXPECT_EQ(kernels.operations() - before, operations) << name << " in " << budget << " bytes";
    EXPECT_EQ(vae.activation_bytes(), predicted(vae, size, budget)) << name << " in " << budget << " bytes";
  }
}

TEST(DecodeBudget, ChangesNoBitOfTheImageAndIsKeptToTheByte) {
  const auto kernels = make_openblas_kernels(2);
  const AutoencoderKL vae(tiny_vae(), *kernels);
  for (const Latents& size : {Latents{9, 5}, {8, 12}, {13, 3}, {2, 256}, {256, 2}, {1, 1}, {17, 17}})
    expect_one_image(vae, *kernels, size);
}

void expect_known_encode(const AutoencoderKL& vae, const Latents& size) {
  const std::int64_t scale = vae.config().scale(), channels = 2 * vae.config().latent_channels;
  const std::vector<float> image = noise(3 * scale * scale * size.height * size.width);
  std::vector<float> moments(static_cast<std::size_t>(channels * size.height * size.width));
  QuietRun run;
  vae.encode({image.data(), 3, scale * size.height, scale * size.width},
             {moments.data(), channels, size.height, size.width}, run);
  EXPECT_EQ(vae.activation_bytes(), encode_bytes(vae.config(), scale * size.height, scale * size.width));
}

TEST(EncodeBytes, AreWhatAnEncodeTakes) {
  const auto kernels = make_openblas_kernels(2);
  const AutoencoderKL vae(tiny_vae(), *kernels);
  for (const Latents& size : {Latents{9, 5}, {8, 12}, {1, 1}, {2, 64}})
    expect_known_encode(vae, size);
  VaeFolder folder;
  folder.config["mid_block_add_attention"] = false;
  expect_known_encode(AutoencoderKL(folder.write(), *kernels), {9, 5});
}

TEST(DecodeBudget, ChangesNoBitOfTheImageByTheSpecification) {
  const auto kernels = make_reference_kernels();
  const AutoencoderKL vae(tiny_vae(), *kernels);
  expect_one_image(vae, *kernels, {9, 3});
}

TEST(DecodeBudget, ChangesNoBitOfTheImageOfOtherModels) {
  const auto kernels = make_openblas_kernels(2);
  VaeFolder folder;
  folder.config["mid_block_add_attention"] = false;
  expect_one_image(AutoencoderKL(folder.write(), *kernels), *kernels, {9, 5});

  // The last level alone, with as many latent channels: its maps are no larger than the first's.
  folder.config["block_out_channels"] = {32};
  folder.config["down_block_types"] = {"DownEncoderBlock2D"};
  folder.config["up_block_types"] = {"UpDecoderBlock2D"};
  const auto value = [](std::int64_t i) { return static_cast<float>(i % 7) / 100.0F; };
  folder.put("encoder.conv_in.weight", {32, 3, 3, 3}, value);
  folder.put("encoder.conv_in.bias", {32}, value);
  for (const char* norm : {"norm1", "norm2"})
    for (const char* part : {"weight", "bias"})
      folder.put(std::string("encoder.down_blocks.0.resnets.0.") + norm + "." + part, {32}, value);
  for (const char* conv : {"conv1", "conv2"}) {
    folder.put(std::string("encoder.down_blocks.0.resnets.0.") + conv + ".weight", {32, 32, 3, 3}, value);
    folder.put(std::string("encoder.down_blocks.0.resnets.0.") + conv + ".bias", {32}, value);
  }
  folder.put("decoder.conv_norm_out.weight", {32}, value);
  folder.put("decoder.conv_norm_out.bias", {32}, value);
  folder.put("decoder.conv_out.weight", {3, 32, 3, 3}, value);
  expect_one_image(AutoencoderKL(folder.write(), *kernels), *kernels, {70, 11});
}

AutoencoderConfig full_width() {
  return {.in_channels = 3,
          .out_channels = 3,
          .latent_channels = 16,
          .layers_per_block = 2,
          .norm_num_groups = 32,
          .block_out_channels = {128, 256, 512, 512},
          .scaling_factor = 0.3611,
          .shift_factor = 0.1159,
          .mid_block_add_attention = true,
          .use_quant_conv = false,
          .use_post_quant_conv = false};
}

TEST(DecodeBytes, OfFullWidthAreBelowABillionAtAMillionPixels) {
  const AutoencoderConfig config = full_width();
  for (const auto& [height, width] : {std::pair{1024, 1024}, {512, 2048}, {2048, 512}})
    EXPECT_LE(decode_bytes(config, height, width), kDecodeBudget) << height << " x " << width;
  // Here even a few rows are more than the budget leaves beside what must be whole.
  EXPECT_LT(decode_bytes(config, 64, 16384), 1'000'000'000U);
  EXPECT_GT(decode_bytes(config, 1024, 1024, kUnlimited), 1'600'000'000U);
  EXPECT_EQ(decode_bytes(config, 512, 512), decode_bytes(config, 512, 512, kUnlimited));
}

TEST(DecodeBytes, NeverGrowWhereTheBudgetShrinks) {
  const AutoencoderConfig config = full_width();
  for (const auto& [height, width] :
       {std::pair{1024, 1024}, {768, 1344}, {128, 128}, {8, 65536}, {2048, 2048}}) {
    const std::size_t all = decode_bytes(config, height, width, kUnlimited);
    std::size_t last = decode_bytes(config, height, width, 0);
    for (std::size_t percent = 1; percent <= 100; ++percent) {
      const std::size_t budget = all / 100 * percent;
      const std::size_t bytes = decode_bytes(config, height, width, budget);
      EXPECT_LE(bytes, std::max(budget, last)) << percent << " %";
      EXPECT_GE(bytes, last) << percent << " %";
      last = bytes;
    }
  }
}

class CancelsAt : public QuietRun {
 public:
  explicit CancelsAt(int question) : question_(question) {}
  bool cancelled() override { return ++asked_ == question_; }
  int asked() const { return asked_; }

 private:
  int question_;
  int asked_ = 0;
};

TEST(DecodeBudget, LetsEveryStripBeStopped) {
  const auto kernels = make_openblas_kernels(1);
  const AutoencoderKL vae(tiny_vae(), *kernels);
  const Latents size{16, 2};
  CancelsAt never(0);
  decode(vae, size, 0, never);
  // The last level alone has 4 strips, in two passes for each of its two resnets and one more for the
  // image.
  EXPECT_GE(never.asked(), 4 * 5);
  for (int question = 1; question <= never.asked(); ++question) {
    CancelsAt run(question);
    expect_error(RH_CANCELLED, "cancelled", [&] { decode(vae, size, 0, run); });
  }
}

// The blocks of the decoder's levels against those on whole maps.
class UpLevels : public ::testing::Test {
 protected:
  const std::unique_ptr<Kernels> kernels_ = make_openblas_kernels(2);
  const AutoencoderKL vae_{tiny_vae(), *kernels_};
  const Decoder decoder_ = load_decoder(vae_.weights(), vae_.config());
  MemoryCount memory_;
  QuietRun run_;
  const BlockContext context_{*kernels_, vae_.config().norm_num_groups, memory_, run_};

  Activation filled(std::int64_t channels, std::int64_t height, std::int64_t width) {
    Activation x(memory_, channels, height, width);
    const auto values = noise(channels * height * width);
    std::copy(values.begin(), values.end(), x.planes().data);
    return x;
  }
  static std::span<const float> floats(const Activation& x) {
    return {x.planes().data, static_cast<std::size_t>(x.planes().size())};
  }
};

TEST_F(UpLevels, ChangeInPlaceWhatTheResnetGives) {
  const Resnet& resnet = decoder_.levels[3].resnets[1];
  const Activation expected = apply_resnet(context_, resnet, filled(16, 75, 21));
  for (const std::size_t budget : {std::size_t{0}, std::size_t{16 * 21 * 4 * 130}, kUnlimited}) {
    const Activation x = filled(16, 75, 21);
    add_resnet(context_, resnet, x, budget);
    EXPECT_TRUE(std::ranges::equal(floats(x), floats(expected))) << budget;
  }
}

// The 1 x 1 shortcut is a matrix product there and summed in another order: it may be off by 2 * 33 roundings
// of 32 terms.
TEST_F(UpLevels, ApplyTheResnetToTheEnlargedMap) {
  const Conv& conv = *decoder_.levels[1].resample;
  const Resnet& resnet = decoder_.levels[2].resnets[0];
  ASSERT_TRUE(resnet.shortcut);
  Activation larger = enlarge(context_, conv, filled(32, 37, 11));
  float peak = 0;
  for (const float value : floats(larger))
    peak = std::max(peak, std::fabs(value));
  double weights = 0;
  for (const float weight : to_floats(resnet.shortcut->weight))
    weights += std::fabs(weight);
  const Activation expected = apply_resnet(context_, resnet, std::move(larger));
  for (const std::size_t budget : {std::size_t{0}, kUnlimited}) {
    const Activation out =
        apply_enlarged_resnet(context_, conv, resnet, filled(32, 37, 11), budget, [](ConstPlanes) {});
    ASSERT_EQ(out.planes().channels, 16);
    expect_near(floats(out), floats(expected), 2 * 33 * 0x1p-24 * weights * peak, std::to_string(budget));
  }
}

}  // namespace
}  // namespace engines::testing
