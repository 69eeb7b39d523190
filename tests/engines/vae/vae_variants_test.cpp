// SPDX-License-Identifier: Apache-2.0
// What the fixture's VAE does not have, checked by weights that make it equal to one that the fixture has.
#include "engines/vae/autoencoder_kl.h"
#include "tests/engines/sampling/fixture.h"
#include "tests/engines/vae/vae_folder.h"

namespace engines::testing {
namespace {

constexpr std::int64_t kHeight = 4;
constexpr std::int64_t kWidth = 6;

std::vector<float> ramp(std::size_t size) {
  std::vector<float> out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<float>(i * 37 % 101) / 50.0F - 1;
  return out;
}

class VaeVariant : public ::testing::Test {
 protected:
  std::vector<float> decode() {
    const AutoencoderKL vae(folder_.write(), *kernels_);
    const std::vector<float> latents = ramp(16 * kHeight * kWidth);
    std::vector<float> image(static_cast<std::size_t>(3 * 64 * kHeight * kWidth));
    vae.decode({latents.data(), 16, kHeight, kWidth}, {image.data(), 3, 8 * kHeight, 8 * kWidth}, run_);
    return image;
  }
  std::vector<float> encode() {
    const AutoencoderKL vae(folder_.write(), *kernels_);
    const std::vector<float> image = ramp(3 * 64 * kHeight * kWidth);
    std::vector<float> moments(static_cast<std::size_t>(32 * kHeight * kWidth));
    vae.encode({image.data(), 3, 8 * kHeight, 8 * kWidth}, {moments.data(), 32, kHeight, kWidth}, run_);
    return moments;
  }
  // A 1x1 convolution that gives factor * x + offset.
  void put_affine(const std::string& name, std::int64_t channels, float factor, float offset) {
    folder_.put(name + ".weight", {channels, channels, 1, 1},
                [=](std::int64_t i) { return i % (channels + 1) == 0 ? factor : 0.0F; });
    folder_.put(name + ".bias", {channels}, [=](std::int64_t) { return offset; });
  }
  // A resnet that adds nothing.
  void put_empty_resnet(const std::string& name, std::int64_t channels) {
    const auto zero = [](std::int64_t) { return 0.0F; };
    for (const char* part : {".norm1", ".norm2"}) {
      folder_.put(name + part + ".weight", {channels}, zero);
      folder_.put(name + part + ".bias", {channels}, zero);
    }
    for (const char* part : {".conv1", ".conv2"}) {
      folder_.put(name + part + ".weight", {channels, channels, 3, 3}, zero);
      folder_.put(name + part + ".bias", {channels}, zero);
    }
  }

  VaeFolder folder_;
  const std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
  QuietRun run_;
};

TEST_F(VaeVariant, WithTheOlderNamesOfAttentionIsTheSame) {
  const auto image = decode();
  const auto moments = encode();
  folder_.rename_all(".to_q.", ".query.");
  folder_.rename_all(".to_k.", ".key.");
  folder_.rename_all(".to_v.", ".value.");
  folder_.rename_all(".to_out.0.", ".proj_attn.");
  EXPECT_EQ(decode(), image);
  EXPECT_EQ(encode(), moments);
}

TEST_F(VaeVariant, WithTheNamesOfTheOriginalCheckpointIsTheSame) {
  const auto image = decode();
  const auto moments = encode();
  for (const std::string level : {"0", "1", "2", "3"})
    folder_.rename_all("decoder.up_blocks." + level + ".",
                       "decoder.up." + std::to_string('3' - level[0]) + ".");
  for (const auto& [ours, original] :
       std::map<std::string, std::string>{{"encoder.down_blocks.", "encoder.down."},
                                          {".downsamplers.0.conv.", ".downsample.conv."},
                                          {".upsamplers.0.conv.", ".upsample.conv."},
                                          {".mid_block.resnets.0.", ".mid.block_1."},
                                          {".mid_block.resnets.1.", ".mid.block_2."},
                                          {".mid_block.attentions.0.group_norm.", ".mid.attn_1.norm."},
                                          {".mid_block.attentions.0.to_q.", ".mid.attn_1.q."},
                                          {".mid_block.attentions.0.to_k.", ".mid.attn_1.k."},
                                          {".mid_block.attentions.0.to_v.", ".mid.attn_1.v."},
                                          {".mid_block.attentions.0.to_out.0.", ".mid.attn_1.proj_out."},
                                          {".resnets.", ".block."},
                                          {".conv_shortcut.", ".nin_shortcut."},
                                          {".conv_norm_out.", ".norm_out."}})
    folder_.rename_all(ours, original);
  for (auto& [name, tensor] : folder_.tensors)
    if (name.find(".mid.attn_1.") != std::string::npos && tensor.shape.size() == 2)
      tensor.shape.insert(tensor.shape.end(), {1, 1});
  ASSERT_TRUE(folder_.tensors.contains("decoder.up.3.block.1.conv2.weight"));
  EXPECT_EQ(decode(), image);
  EXPECT_EQ(encode(), moments);
  folder_.rename_all("encoder.", "first_stage_model.encoder.");
  folder_.rename_all("decoder.", "first_stage_model.decoder.");
  EXPECT_EQ(decode(), image);
}

TEST_F(VaeVariant, WithoutAttentionIsOneWhoseAttentionAddsNothing) {
  const auto with_attention = decode();
  for (const char* coder : {"encoder", "decoder"})
    for (const char* part : {".weight", ".bias"})
      folder_.zero(std::string(coder) + ".mid_block.attentions.0.to_out.0" + part);
  const auto image = decode();
  const auto moments = encode();
  EXPECT_NE(image, with_attention);
  folder_.config["mid_block_add_attention"] = false;
  EXPECT_EQ(decode(), image);
  EXPECT_EQ(encode(), moments);
}

TEST_F(VaeVariant, AppliesTheConvolutionAfterTheEncoder) {
  auto expected = encode();
  for (float& value : expected)
    value = 2 * value + 1;
  folder_.config["use_quant_conv"] = true;
  put_affine("quant_conv", 32, 2, 1);
  expect_near(encode(), expected, 1e-5, "moments");
}

TEST_F(VaeVariant, AppliesTheConvolutionBeforeTheDecoder) {
  folder_.config["scaling_factor"] = 0.5;
  folder_.config["shift_factor"] = 1.25;
  const auto expected = decode();
  folder_.config["scaling_factor"] = 1;
  folder_.config["shift_factor"] = 0.5;
  folder_.config["use_post_quant_conv"] = true;
  put_affine("post_quant_conv", 16, 2, 0.25F);
  expect_near(decode(), expected, 1e-5, "image");
}

TEST_F(VaeVariant, WithMoreLayersThatAddNothingIsTheSame) {
  const auto image = decode();
  const auto moments = encode();
  folder_.config["layers_per_block"] = 3;
  const std::vector<std::int64_t> widths = {16, 16, 32, 32};
  for (std::size_t level = 0; level < 4; ++level) {
    for (int extra = 1; extra <= 2; ++extra) {
      put_empty_resnet("encoder.down_blocks." + std::to_string(level) + ".resnets." + std::to_string(extra),
                       widths[level]);
      put_empty_resnet("decoder.up_blocks." + std::to_string(level) + ".resnets." + std::to_string(extra + 1),
                       widths[3 - level]);
    }
  }
  EXPECT_EQ(decode(), image);
  EXPECT_EQ(encode(), moments);
}

// The first level only: its resnets run at the size of the image.
TEST_F(VaeVariant, OfOneLevelKeepsTheSize) {
  folder_.config["block_out_channels"] = {32};
  folder_.config["down_block_types"] = {"DownEncoderBlock2D"};
  folder_.config["up_block_types"] = {"UpDecoderBlock2D"};
  const auto value = [](std::int64_t i) { return static_cast<float>(i % 7) / 100.0F; };
  folder_.put("encoder.conv_in.weight", {32, 3, 3, 3}, value);
  folder_.put("encoder.conv_in.bias", {32}, value);
  put_empty_resnet("encoder.down_blocks.0.resnets.0", 32);
  folder_.put("decoder.conv_norm_out.weight", {32}, value);
  folder_.put("decoder.conv_norm_out.bias", {32}, value);
  folder_.put("decoder.conv_out.weight", {3, 32, 3, 3}, value);
  const AutoencoderKL vae(folder_.write(), *kernels_);
  EXPECT_EQ(vae.config().scale(), 1);
  const std::vector<float> latents = ramp(16 * 5 * 3);
  std::vector<float> image(3 * 5 * 3);
  vae.decode({latents.data(), 16, 5, 3}, {image.data(), 3, 5, 3}, run_);
  std::vector<float> moments(32 * 5 * 3);
  vae.encode({image.data(), 3, 5, 3}, {moments.data(), 32, 5, 3}, run_);
  for (const float v : moments)
    EXPECT_TRUE(std::isfinite(v));
}

}  // namespace
}  // namespace engines::testing
