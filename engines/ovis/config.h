// SPDX-License-Identifier: Apache-2.0
// transformer/config.json of Ovis-Image.
#pragma once

#include <cstdint>
#include <vector>

#include "engines/weights/config.h"

namespace engines::ovis {

inline constexpr std::string_view kTransformer = "OvisImageTransformer2DModel";
inline constexpr std::int64_t kSinusoid = 256;  // width of the timestep's sinusoid

struct OvisConfig {
  std::int64_t token_width = 0;  // in_channels: the latents of a token
  std::int64_t double_blocks = 0, single_blocks = 0;
  std::int64_t heads = 0, head_dim = 0;
  std::int64_t caption_width = 0;       // joint_attention_dim
  std::vector<std::int64_t> axes_dims;  // of (0, row, column) positions; their sum is head_dim

  // Out-of-range or contradicting fields and unsupported variants are MODEL_INVALID by field name.
  static OvisConfig read(const Config& json);
  std::int64_t dim() const { return heads * head_dim; }
  std::int64_t feed_forward_dim() const { return 4 * dim(); }
  std::int64_t latent_channels() const { return token_width / 4; }
};

}  // namespace engines::ovis
