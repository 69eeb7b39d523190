// SPDX-License-Identifier: Apache-2.0
// The weights of an AutoencoderKL by part. Views are borrowed from the WeightSet that they were found in.
#pragma once

#include <optional>
#include <vector>

#include "engines/layers/linear.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

struct Norm {
  std::vector<float> weight, bias;  // [channels]
};

struct Conv {
  WeightView weight;  // [out, in, kernel, kernel]
  std::vector<float> bias;
  ConvShape shape;
};

struct Resnet {
  Norm norm1, norm2;
  Conv conv1, conv2;
  std::optional<Conv> shortcut;  // where the number of channels changes
};

struct SpatialAttention {
  Norm norm;
  Linear q, k, v, out;
};

struct MidBlock {
  Resnet before, after;
  std::optional<SpatialAttention> attention;
};

// One level: its resnets, then the change of size, which the last level has not.
struct Level {
  std::vector<Resnet> resnets;
  std::optional<Conv> resample;
};

struct Encoder {
  Conv conv_in;
  std::vector<Level> levels;
  MidBlock mid;
  Norm norm_out;
  Conv conv_out;
  std::optional<Conv> quant;
};

struct Decoder {
  std::optional<Conv> post_quant;
  Conv conv_in;
  MidBlock mid;
  std::vector<Level> levels;
  Norm norm_out;
  Conv conv_out;
};

// MODEL_INVALID names the tensor that is missing or has another shape.
Encoder load_encoder(const WeightSet& weights, const AutoencoderConfig& config);
Decoder load_decoder(const WeightSet& weights, const AutoencoderConfig& config);

}  // namespace engines
