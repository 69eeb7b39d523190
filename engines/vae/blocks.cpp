// SPDX-License-Identifier: Apache-2.0
// After diffusers' ResnetBlock2D, UNetMidBlock2D and DownEncoderBlock2D.
#include "engines/vae/blocks.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace engines {
namespace {

// Attended to between two questions whether to stop: at the 16384 tokens of 1024 x 1024 pixels, a second.
constexpr std::int64_t kQueries = 4096;

std::int64_t convolved(std::int64_t size, const ConvShape& shape) {
  return (size + shape.pad_before + shape.pad_after - shape.kernel) / shape.stride + 1;
}

// to[j, i] = from[i, j], in squares that fit the nearest cache.
void transpose(Rows to, ConstRows from) {
  constexpr std::int64_t kSide = 32;
  for (std::int64_t row = 0; row < to.rows; row += kSide)
    for (std::int64_t col = 0; col < to.cols; col += kSide)
      for (std::int64_t j = row; j < std::min(row + kSide, to.rows); ++j)
        for (std::int64_t i = col; i < std::min(col + kSide, to.cols); ++i)
          to.row(j)[i] = from.row(i)[j];
}

Activation matrix(const BlockContext& context, std::int64_t rows, std::int64_t cols) {
  return {context.memory, rows, 1, cols};
}

}  // namespace

Activation convolve(const BlockContext& context, const Conv& conv, ConstPlanes x) {
  Activation y(context.memory, conv.weight.dim(0), convolved(x.height, conv.shape),
               convolved(x.width, conv.shape));
  context.kernels.conv2d(y, x, conv.weight, conv.bias.data(), conv.shape);
  return y;
}

void group_norm(const BlockContext& context, const Norm& norm, Planes y, ConstPlanes x, bool silu) {
  context.kernels.group_norm(y, x, context.groups, norm.weight.data(), norm.bias.data(), kNormEps, silu);
}

Activation apply_resnet(const BlockContext& context, const Resnet& resnet, Activation x) {
  context.run.check_cancelled();
  // The sum's other term. Where there is a shortcut, x itself is needed no longer and the first norm takes
  // its place; else x is that term and the norm gets planes of its own.
  Activation skipped =
      resnet.shortcut ? convolve(context, *resnet.shortcut, x)
                      : Activation(context.memory, x.planes().channels, x.planes().height, x.planes().width);
  if (!resnet.shortcut) std::swap(x, skipped);
  group_norm(context, resnet.norm1, x, resnet.shortcut ? x : skipped, true);
  Activation middle = convolve(context, resnet.conv1, x);
  x.release();
  group_norm(context, resnet.norm2, middle, middle, true);
  Activation out = convolve(context, resnet.conv2, middle);
  context.kernels.add(out.rows(), skipped.rows());
  return out;
}

Activation apply_attention(const BlockContext& context, const SpatialAttention& attention, Activation x) {
  context.run.check_cancelled();
  Kernels& kernels = context.kernels;
  const std::int64_t channels = x.planes().channels;
  const std::int64_t tokens = x.planes().plane_size();

  Activation normed(context.memory, channels, x.planes().height, x.planes().width);
  group_norm(context, attention.norm, normed, x, false);
  Activation input = matrix(context, tokens, channels);
  transpose(input.rows(), normed.rows());
  normed.release();

  const auto project = [&](const Linear& linear, const Activation& from) {
    Activation to = matrix(context, tokens, channels);
    linear.apply(kernels, to.rows(), from.rows());
    return to;
  };
  Activation q = project(attention.q, input);
  Activation k = project(attention.k, input);
  Activation v = project(attention.v, input);
  const AttentionShape shape{.heads = 1,
                             .kv_heads = 1,
                             .head_dim = channels,
                             .causal = false,
                             .scale = 1 / std::sqrt(static_cast<float>(channels))};
  const Activation seen = std::move(input);
  for (std::int64_t first = 0; first < tokens; first += kQueries) {
    context.run.check_cancelled();
    const std::int64_t count = std::min(kQueries, tokens - first);
    kernels.attention(seen.rows().slice_rows(first, count), q.rows().slice_rows(first, count), k.rows(),
                      v.rows(), shape);
  }
  for (Activation* read : {&q, &k, &v})
    read->release();

  const Activation projected = project(attention.out, seen);
  const Activation back = matrix(context, channels, tokens);
  transpose(back.rows(), projected.rows());
  kernels.add(x.rows(), back.rows());
  return x;
}

Activation apply_mid_block(const BlockContext& context, const MidBlock& mid, Activation x) {
  x = apply_resnet(context, mid.before, std::move(x));
  if (mid.attention) x = apply_attention(context, *mid.attention, std::move(x));
  return apply_resnet(context, mid.after, std::move(x));
}

Activation apply_down_level(const BlockContext& context, const Level& level, Activation x) {
  for (const Resnet& resnet : level.resnets)
    x = apply_resnet(context, resnet, std::move(x));
  if (!level.resample) return x;
  context.run.check_cancelled();
  return convolve(context, *level.resample, x);
}

}  // namespace engines
