// SPDX-License-Identifier: Apache-2.0
#include "engines/vae/autoencoder_names.h"

#include <fmt/format.h>

namespace engines {

NameTable original_autoencoder_names(const AutoencoderConfig& config) {
  std::vector<NameRule> rules = {
      {"^first_stage_model.", {""}},   {"^vae.", {""}},
      {"^model.diffusion_model.", {}},  // of checkpoints with all components in one file
      {"^text_encoders.", {}},         {"^encoder.down.", {"encoder.down_blocks."}},
  };
  const std::size_t levels = config.block_out_channels.size();
  for (std::size_t level = 0; level < levels; ++level)
    rules.push_back(
        {fmt::format("^decoder.up.{}.", level), {fmt::format("decoder.up_blocks.{}.", levels - 1 - level)}});
  const std::vector<NameRule> parts = {
      {".block.", {".resnets."}},
      {".nin_shortcut.", {".conv_shortcut."}},
      {".downsample.conv.", {".downsamplers.0.conv."}},
      {".upsample.conv.", {".upsamplers.0.conv."}},
      {".mid.block_1.", {".mid_block.resnets.0."}},
      {".mid.block_2.", {".mid_block.resnets.1."}},
      {".mid.attn_1.norm.", {".mid_block.attentions.0.group_norm."}},
      {".mid.attn_1.q.", {".mid_block.attentions.0.to_q."}, true},
      {".mid.attn_1.k.", {".mid_block.attentions.0.to_k."}, true},
      {".mid.attn_1.v.", {".mid_block.attentions.0.to_v."}, true},
      {".mid.attn_1.proj_out.", {".mid_block.attentions.0.to_out.0."}, true},
      {"^encoder.norm_out.", {"encoder.conv_norm_out."}},
      {"^decoder.norm_out.", {"decoder.conv_norm_out."}},
  };
  rules.insert(rules.end(), parts.begin(), parts.end());
  return NameTable(std::move(rules));
}

}  // namespace engines
