// SPDX-License-Identifier: Apache-2.0
// Both passes of a separable filter, in float.
#include "host/images/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace roundhouse::host {
namespace {

constexpr double kLobes = 3;

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

double lanczos(double x) {
  return std::abs(x) < kLobes ? sinc(x) * sinc(x / kLobes) : 0;
}

// What one sample of the result is made of: weights of the samples from `first`, whose sum is 1.
struct Window {
  std::size_t first = 0;
  std::vector<float> weights;
};

std::vector<Window> windows(std::uint32_t from, std::uint32_t to) {
  const double scale = static_cast<double>(from) / to, stretch = std::max(scale, 1.0);
  std::vector<Window> all(to);
  for (std::uint32_t i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const double begin = std::max(0.0, std::floor(centre - kLobes * stretch + 0.5));
    const double end = std::min<double>(from, std::floor(centre + kLobes * stretch + 0.5));
    Window& window = all[i];
    window.first = static_cast<std::size_t>(begin);
    double sum = 0;
    for (double at = begin; at < end; ++at) {
      const double weight = lanczos((at - centre + 0.5) / stretch);
      window.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : window.weights)
      weight = static_cast<float>(weight / sum);
  }
  return all;
}

std::uint8_t level_of(float value) {
  return static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0F, 255.0F));
}

// `count` runs of samples that lie `stride` apart become runs of another length; runs begin `next` apart.
struct Runs {
  std::size_t count = 0, next = 0, stride = 0;
};

void filter(const std::vector<Window>& all, const std::uint8_t* from, const Runs& in, std::uint8_t* to,
            const Runs& out) {
  for (std::size_t run = 0; run < in.count; ++run) {
    const std::uint8_t* source = from + run * in.next;
    std::uint8_t* target = to + run * out.next;
    for (std::size_t i = 0; i < all.size(); ++i) {
      float sum = 0;
      const Window& window = all[i];
      for (std::size_t k = 0; k < window.weights.size(); ++k)
        sum += window.weights[k] * static_cast<float>(source[(window.first + k) * in.stride]);
      target[i * out.stride] = level_of(sum);
    }
  }
}

}  // namespace

namespace {

SampleGrid across(const SampleGrid& from, std::uint32_t width) {
  const std::size_t channels = from.channels;
  SampleGrid to{width, from.height, from.channels, {}};
  to.values.resize(std::size_t{width} * from.height * channels);
  const std::vector<Window> all = windows(from.width, width);
  for (std::size_t c = 0; c < channels; ++c) {
    filter(all, from.values.data() + c, {from.height, from.width * channels, channels}, to.values.data() + c,
           {from.height, width * channels, channels});
  }
  return to;
}

SampleGrid along(const SampleGrid& from, std::uint32_t height) {
  SampleGrid to{from.width, height, from.channels, {}};
  const std::size_t row = std::size_t{from.width} * from.channels;
  to.values.resize(row * height);
  filter(windows(from.height, height), from.values.data(), {row, 1, row}, to.values.data(), {row, 1, row});
  return to;
}

}  // namespace

// In the order that has the smaller image in between: a strip of a million rows would be a million wide rows.
SampleGrid resized(const SampleGrid& from, std::uint32_t width, std::uint32_t height) {
  const bool across_first = std::uint64_t{width} * from.height <= std::uint64_t{from.width} * height;
  return across_first ? along(across(from, width), height) : across(along(from, height), width);
}

SampleGrid cropped(const SampleGrid& from, const Crop& crop) {
  SampleGrid to{crop.width, crop.height, from.channels, {}};
  const std::size_t row = std::size_t{crop.width} * from.channels;
  to.values.resize(row * crop.height);
  for (std::size_t y = 0; y < crop.height; ++y) {
    const std::size_t at = ((crop.y + y) * from.width + crop.x) * from.channels;
    std::memcpy(to.values.data() + y * row, from.values.data() + at, row);
  }
  return to;
}

}  // namespace roundhouse::host
