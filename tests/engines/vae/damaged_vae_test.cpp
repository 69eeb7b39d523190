// SPDX-License-Identifier: Apache-2.0
// What is wrong with a vae folder is said by name, before anything is computed.
#include "engines/vae/autoencoder_kl.h"
#include "tests/engines/sampling/fixture.h"
#include "tests/engines/vae/vae_folder.h"

namespace engines::testing {
namespace {

class DamagedVae : public ::testing::Test {
 protected:
  void expect_refused(rh_status code, const std::string& part) {
    expect_error(code, part, [&] { AutoencoderKL(folder_.write(), *kernels_); });
  }
  void expect_invalid(const std::string& part) { expect_refused(RH_MODEL_INVALID, part); }

  VaeFolder folder_;
  const std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
};

TEST_F(DamagedVae, WithATensorMissingIsRefusedByItsName) {
  for (const char* name :
       {"decoder.conv_in.weight", "decoder.mid_block.attentions.0.to_out.0.bias",
        "decoder.up_blocks.2.resnets.0.conv_shortcut.weight", "decoder.up_blocks.2.upsamplers.0.conv.bias",
        "decoder.conv_norm_out.weight", "encoder.down_blocks.0.downsamplers.0.conv.weight",
        "encoder.mid_block.resnets.1.norm2.bias", "encoder.conv_out.bias"}) {
    folder_.rename(name, "elsewhere");
    expect_invalid(name);
    folder_.rename("elsewhere", name);
  }
  EXPECT_NO_THROW(AutoencoderKL(folder_.write(), *kernels_));
}

TEST_F(DamagedVae, WithATensorOfAnotherShapeIsRefusedByItsName) {
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> wrong = {
      {"decoder.conv_in.weight", {16, 32, 3, 3}},
      {"decoder.conv_in.bias", {16, 2}},
      {"encoder.mid_block.attentions.0.to_q.weight", {16, 64}},
      {"decoder.up_blocks.2.resnets.0.conv_shortcut.weight", {16, 32}},
      {"encoder.conv_norm_out.weight", {1, 32}},
  };
  for (const auto& [name, shape] : wrong) {
    const auto right = folder_.tensors.at(name).shape;
    folder_.tensors.at(name).shape = shape;
    expect_invalid(name);
    folder_.tensors.at(name).shape = right;
  }
}

TEST_F(DamagedVae, WithATensorOfIntegersIsRefusedByItsName) {
  folder_.tensors.at("decoder.conv_in.weight").dtype = "I16";
  expect_refused(RH_CAPABILITY_UNSUPPORTED, "decoder.conv_in.weight");
}

TEST_F(DamagedVae, WhoseConfigDoesNotFitItsWeightsIsRefused) {
  folder_.config["layers_per_block"] = 2;
  expect_invalid("encoder.down_blocks.0.resnets.1.");
  folder_.config["layers_per_block"] = 1;
  folder_.config["use_quant_conv"] = true;
  expect_invalid("quant_conv.weight");
  folder_.config["use_quant_conv"] = false;
  folder_.config["block_out_channels"] = {16, 16, 32, 64};
  expect_invalid("encoder.down_blocks.3.resnets.0.");
}

TEST_F(DamagedVae, WithAConfigValueThatIsAbsurdIsRefusedByItsField) {
  const std::vector<std::pair<std::string, nlohmann::json>> absurd = {
      {"_class_name", "AsymmetricAutoencoderKL"},
      {"act_fn", "relu"},
      {"in_channels", 0},
      {"out_channels", -3},
      {"latent_channels", 2147483648},
      {"layers_per_block", 1000000000},
      {"layers_per_block", 0},
      {"norm_num_groups", 0},
      {"norm_num_groups", 3},
      {"norm_num_groups", 32},
      {"block_out_channels", nlohmann::json::array()},
      {"block_out_channels", {16, 16, 0, 32}},
      {"block_out_channels", {16, 16, 32, 4294967296}},
      {"block_out_channels", std::vector<int>(64, 32)},
      {"block_out_channels", "16"},
      {"scaling_factor", 0},
      {"scaling_factor", -0.3},
      {"scaling_factor", 1e300},
      {"scaling_factor", "0.3611"},
      {"shift_factor", 1e300},
      {"mid_block_add_attention", 1},
      {"use_post_quant_conv", "no"},
      {"latents_mean", {0.5}},
      {"latents_std", {0.5}},
      {"down_block_types", {"DownEncoderBlock2D"}},
      {"down_block_types",
       {"DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "AttnDownEncoderBlock2D"}},
      {"up_block_types",
       {"AttnUpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"}},
  };
  for (const auto& [field, value] : absurd) {
    const nlohmann::json right = folder_.config[field];
    folder_.config[field] = value;
    expect_invalid("vae/config.json: " + field);
    folder_.config[field] = right;
  }
}

TEST_F(DamagedVae, WithoutAFileIsRefusedAsIncomplete) {
  const auto folder = folder_.write();
  std::filesystem::remove(folder / "diffusion_pytorch_model.safetensors");
  expect_error(RH_WEIGHTS_MISSING, "diffusion_pytorch_model.safetensors",
               [&] { AutoencoderKL(folder, *kernels_); });
  std::filesystem::remove(folder / "config.json");
  expect_error(RH_WEIGHTS_MISSING, "vae/config.json", [&] { AutoencoderKL(folder, *kernels_); });
}

TEST_F(DamagedVae, WithATruncatedFileIsRefused) {
  const auto folder = folder_.write();
  const auto weights = folder / "diffusion_pytorch_model.safetensors";
  for (const std::uintmax_t size :
       {std::uintmax_t{0}, std::uintmax_t{7}, std::uintmax_t{100}, std::filesystem::file_size(weights) - 1}) {
    std::filesystem::resize_file(weights, size);
    expect_error(RH_MODEL_INVALID, "diffusion_pytorch_model.safetensors",
                 [&] { AutoencoderKL(folder, *kernels_); });
    folder_.write();
  }
}

}  // namespace
}  // namespace engines::testing
