// SPDX-License-Identifier: Apache-2.0
// After diffusers' ResnetBlock2D and Upsample2D.
#include "engines/vae/up_levels.h"

#include <algorithm>
#include <utility>

#include "engines/vae/map_rows.h"

namespace engines {
namespace {

using Norms = std::vector<ChannelNorm>;

MapShape shape_of(ConstPlanes x) {
  return {x.channels, x.height, x.width};
}

template <class Body>
void for_strips(const BlockContext& context, std::int64_t height, std::int64_t strip, const Body& body) {
  for (std::int64_t first = 0; first < height; first += strip) {
    context.run.check_cancelled();
    body(first, std::min(strip, height - first));
  }
}

Norms norms_of(const BlockContext& context, const Norm& norm, const std::vector<Moments>& moments) {
  return channel_norms(moments, context.groups, norm.weight.data(), norm.bias.data(), kNormEps);
}

Norms norms_of(const BlockContext& context, const Norm& norm, ConstPlanes x) {
  context.run.check_cancelled();
  std::vector<Moments> moments(static_cast<std::size_t>(x.channels));
  context.kernels.add_moments(moments.data(), x);
  return norms_of(context, norm, moments);
}

Norms norms_of(const BlockContext& context, const Norm& norm, MapRows& x) {
  const RowPlan& plan = x.plan();
  std::vector<Moments> moments(static_cast<std::size_t>(plan.map.channels));
  for_strips(context, plan.map.height, plan.strip, [&](std::int64_t first, std::int64_t rows) {
    context.kernels.add_moments(moments.data(), x.rows(first, rows).planes);
  });
  return norms_of(context, norm, moments);
}

void convolve_rows(const BlockContext& context, const Conv& conv, Planes y, std::int64_t first,
                   const Strip& x, const ConvRows& how = {}) {
  context.kernels.conv2d_rows(y, first, x, conv.weight, conv.bias.data(), how);
}

}  // namespace

// The window of the map in between runs one row ahead of the strip that is written, and has kept the row
// behind it: what of x it still needs is not yet overwritten.
void add_resnet(const BlockContext& context, const Resnet& resnet, const Activation& x, std::size_t budget) {
  const RowPlan plan = plan_resnet(shape_of(x), budget).rows;
  const Norms norm1 = norms_of(context, resnet.norm1, ConstPlanes(x));
  MapRows middle(context.kernels, context.memory, plan, [&](std::int64_t first, Planes rows) {
    convolve_rows(context, resnet.conv1, rows, first, Strip(x.planes()), {.norm = norm1.data()});
  });
  const Norms norm2 = norms_of(context, resnet.norm2, middle);
  for_strips(context, plan.map.height, plan.strip, [&](std::int64_t first, std::int64_t rows) {
    convolve_rows(context, resnet.conv2, x.planes().slice_rows(first, rows), first,
                  middle.around(first, rows), {.norm = norm2.data(), .add = true});
  });
}

Activation enlarge(const BlockContext& context, const Conv& conv, Activation x) {
  const MapShape shape = shape_of(x).enlarged();
  Activation larger(context.memory, shape.channels, shape.height, shape.width);
  for_strips(context, shape.height, strip_rows(shape), [&](std::int64_t first, std::int64_t rows) {
    context.kernels.upsample_conv2d_rows(larger.planes().slice_rows(first, rows), first, x, conv.weight,
                                         conv.bias.data());
  });
  return larger;
}

Activation apply_enlarged_resnet(const BlockContext& context, const Conv& conv, const Resnet& resnet,
                                 Activation x, std::size_t budget,
                                 const std::function<void(ConstPlanes)>& show) {
  MapShape shape = shape_of(x).enlarged();
  shape.channels = resnet.conv1.weight.dim(0);
  const RowPlan plan = plan_enlarged_resnet(shape_of(x), shape, budget).rows;
  MapRows larger(context.kernels, context.memory, plan, [&](std::int64_t first, Planes rows) {
    context.kernels.upsample_conv2d_rows(rows, first, x, conv.weight, conv.bias.data());
  });
  const Norms norm1 = norms_of(context, resnet.norm1, larger);
  if (show && plan.whole()) show(larger.rows(0, shape.height).planes);
  if (plan.whole()) x.release();

  // First the map between the convolutions, then the result, which takes its place behind a window.
  Activation out(context.memory, shape.channels, shape.height, shape.width);
  for_strips(context, shape.height, plan.strip, [&](std::int64_t first, std::int64_t rows) {
    convolve_rows(context, resnet.conv1, out.planes().slice_rows(first, rows), first,
                  larger.around(first, rows), {.norm = norm1.data()});
  });
  const Norms norm2 = norms_of(context, resnet.norm2, ConstPlanes(out));
  MapRows middle(
      context.kernels, context.memory, plan_window(shape, plan.strip),
      [&](std::int64_t first, Planes rows) { copy_rows(rows, out.planes().slice_rows(first, rows.height)); });
  for_strips(context, shape.height, plan.strip, [&](std::int64_t first, std::int64_t rows) {
    const Strip seen = middle.around(first, rows);
    const Planes result = out.planes().slice_rows(first, rows);
    convolve_rows(context, *resnet.shortcut, result, first, larger.rows(first, rows));
    convolve_rows(context, resnet.conv2, result, first, seen, {.norm = norm2.data(), .add = true});
  });
  return out;
}

void convolve_normed(const BlockContext& context, const Norm& norm, const Conv& conv, Planes y,
                     const Activation& x) {
  const Norms norms = norms_of(context, norm, ConstPlanes(x));
  for_strips(context, y.height, strip_rows(shape_of(x)), [&](std::int64_t first, std::int64_t rows) {
    convolve_rows(context, conv, y.slice_rows(first, rows), first, Strip(x.planes()), {.norm = norms.data()});
  });
}

}  // namespace engines
