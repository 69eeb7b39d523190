// SPDX-License-Identifier: Apache-2.0
// ZImageTransformer2DModel: the single-stream diffusion transformer of Z-Image.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/text/qwen3_encoder.h"
#include "engines/weights/block_window.h"
#include "engines/weights/config.h"
#include "engines/weights/weight_set.h"

namespace engines {

struct ZImageTransformerConfig {
  std::int64_t dim, layers, refiner_layers, heads, in_channels, cap_feat_dim, patch_size;
  double norm_eps, rope_theta, t_scale;
  bool qk_norm;
  std::vector<std::int64_t> axes_dims, axes_lens;  // of (time, row, column) positions

  // transformer/config.json. Out-of-range or contradicting fields and unsupported variants are MODEL_INVALID
  // by field name. n_kv_heads is ignored, as the reference does.
  static ZImageTransformerConfig read(const Config& json);
  std::int64_t head_dim() const { return dim / heads; }
  std::int64_t feed_forward_dim() const { return dim / 3 * 8 + (dim % 3) * 8 / 3; }  // int(dim / 3 * 8)
  std::int64_t adaln_dim() const { return dim < 256 ? dim : 256; }
  std::int64_t token_width() const { return patch_size * patch_size * in_channels; }
};

class ZImageTransformer {
 public:
  // `folder` is <model>/transformer. Maps the weights; checks every tensor's name (diffusers', or those
  // of zimage_names.h) and shape, and that the file has no more blocks than the config says. `kernels` must
  // outlive the transformer. `options` are for the matrices of the blocks (attention, feed-forward,
  // modulation); options.pool is used here only.
  ZImageTransformer(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options = {});
  ~ZImageTransformer();

  // Everything that depends on sizes only: activations, rotations, positions. Made once per image and
  // caption; a step allocates nothing.
  class Session {
   public:
    ~Session();
    // latents: [in_channels, h, w]; t = 1 - sigma; velocity: the model's raw output of the same shape (the
    // pipeline negates it). Throws CANCELLED between blocks. The first call also refines the caption, which
    // does not depend on t; a cancelled call may be repeated.
    // Taps: t_embedder [1, adaln], x_embedder and noise_refiner<i> [image tokens padded to 32, dim],
    // cap_embedder and context_refiner<i> [caption tokens padded to 32, dim] (first call only), layer<i>,
    // layer<i>_attn_out and layer<i>_ffn_out [image tokens | caption tokens, both padded, dim], final_layer
    // [image tokens padded, 4 * in_channels]. x_embedder and cap_embedder are seen before the pad tokens are
    // put in.
    void forward(ConstPlanes latents, double t, Planes velocity, Run& run, const Tap& tap = {});
    std::size_t activation_bytes() const;  // without scratch that is lent by another session

   private:
    friend class ZImageTransformer;
    struct Model;
    struct State;
    explicit Session(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };
  // What the weights of such a transformer would take (weights().total_bytes()), from headers; the same
  // errors.
  static std::uint64_t weight_bytes(const std::filesystem::path& folder, const WeightOptions& options);

  // caption: [tokens, cap_feat_dim], the encoder's output, copied; h and w: of the latents, see check_size. A
  // caption beyond axes_lens is INVALID_DIMENSION. The transformer must outlive the session. A session whose
  // forward never runs at the same time may lend its scratch, where it is large enough.
  std::unique_ptr<Session> begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                 const Session* lender = nullptr) const;

  // What a session for such a caption and image needs: memory that it keeps, and scratch that sessions can
  // share.
  struct ActivationBytes {
    std::size_t kept, scratch;
  };
  ActivationBytes activation_bytes(std::int64_t caption_tokens, std::int64_t h, std::int64_t w) const;

  // The weights, as held.
  std::uint64_t resident_bytes() const { return row_.all(); }
  std::uint64_t least_bytes() const { return row_.least(); }
  // Lets at most about `bytes` of mapped weights stay resident: layers beyond are given back after use.
  void keep_within(std::uint64_t bytes) { kept_ = row_.kept(bytes); }

  // Throws INVALID_DIMENSION unless h and w are multiples of the patch size and within axes_lens.
  void check_size(std::int64_t h, std::int64_t w) const;

  const ZImageTransformerConfig& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  struct Parts;
  ZImageTransformerConfig config_;
  WeightSet weights_;
  Kernels& kernels_;
  std::unique_ptr<Parts> parts_;
  BlockRow row_;                 // of the layers
  std::size_t kept_ = SIZE_MAX;  // layers that stay resident
};

}  // namespace engines
