// SPDX-License-Identifier: Apache-2.0
// What the kernels' tests share: random operands with guards around them, weights of every type at every
// address, and a comparison that says where, what and by how much.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/quantise.h"

namespace engines::test {

// The unit roundoff of float: a rounded result is off by at most this much of itself.
inline constexpr double kUnit = 0x1p-24;

inline constexpr std::int64_t kRaggedSizes[] = {1, 2, 3, 7, 16, 17, 31, 63, 65, 129};

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  float operator()() { return distribution_(engine_); }

 private:
  std::mt19937 engine_;
  std::uniform_real_distribution<float> distribution_{-1, 1};
};

// Rows that own their memory, `gap` floats between two of them and behind the last. What lies in the gaps is
// a NaN, so that a kernel that reads it spoils its result and one that writes it is found out.
class OwnedRows {
 public:
  OwnedRows(std::int64_t rows, std::int64_t cols, std::int64_t gap = 0)
      : values_(static_cast<std::size_t>(rows * (cols + gap)), std::bit_cast<float>(kGuard)),
        view(values_.data(), rows, cols, cols + gap) {
    for (std::int64_t r = 0; r < rows; ++r)
      std::fill_n(view.row(r), cols, 0.0f);
  }
  OwnedRows(std::int64_t rows, std::int64_t cols, std::int64_t gap, Random& random)
      : OwnedRows(rows, cols, gap) {
    for (std::int64_t r = 0; r < rows; ++r)
      for (float& value : view.row_span(r))
        value = random();
  }
  OwnedRows(const OwnedRows& other)
      : values_(other.values_), view(values_.data(), other.view.rows, other.view.cols, other.view.stride) {}
  OwnedRows& operator=(const OwnedRows&) = delete;

  bool gaps_untouched() const {
    for (std::int64_t r = 0; r < view.rows; ++r)
      for (std::int64_t c = view.cols; c < view.stride; ++c)
        if (std::bit_cast<std::uint32_t>(view.row(r)[c]) != kGuard) return false;
    return true;
  }

 private:
  static constexpr std::uint32_t kGuard = 0x7fc12345;
  std::vector<float> values_;

 public:
  Rows view;
};

class OwnedPlanes {
 public:
  OwnedPlanes(std::int64_t channels, std::int64_t height, std::int64_t width)
      : values_(static_cast<std::size_t>(channels * height * width)),
        view(values_.data(), channels, height, width) {}
  OwnedPlanes(std::int64_t channels, std::int64_t height, std::int64_t width, Random& random)
      : OwnedPlanes(channels, height, width) {
    for (float& value : values_)
      value = random();
  }
  OwnedPlanes(const OwnedPlanes& other)
      : values_(other.values_),
        view(values_.data(), other.view.channels, other.view.height, other.view.width) {}
  OwnedPlanes& operator=(const OwnedPlanes&) = delete;

  // One row a plane.
  ConstRows rows() const { return {view.data, view.channels, view.plane_size()}; }

 private:
  std::vector<float> values_;

 public:
  Planes view;
};

// Random numbers in a stored type, beginning `offset` bytes behind an aligned address.
class OwnedWeight {
 public:
  OwnedWeight(Dtype dtype, std::vector<std::int64_t> shape, std::size_t offset, Random& random) {
    view.dtype = dtype;
    view.shape = std::move(shape);
    const auto count = static_cast<std::size_t>(view.size());
    bytes_.resize((static_cast<std::size_t>(view.bytes()) + offset) / sizeof(std::uint64_t) + 1);
    auto* data = reinterpret_cast<std::byte*>(bytes_.data()) + offset;
    view.data = data;
    if (is_quantised(dtype) && !can_be_made(dtype)) {
      fill_blocks(data, random);
      return;
    }
    if (is_quantised(dtype)) {
      std::vector<float> values(count);
      for (float& value : values)
        value = random();
      quantise(data, dtype, reinterpret_cast<const std::byte*>(values.data()), Dtype::f32, view.size());
      return;
    }
    for (std::size_t i = 0; i < count; ++i)
      store(data, dtype, i, random());
  }
  OwnedWeight(const OwnedWeight&) = delete;
  OwnedWeight& operator=(const OwnedWeight&) = delete;

  WeightView view;

 private:
  static void store(std::byte* data, Dtype dtype, std::size_t i, float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    std::uint16_t half = static_cast<std::uint16_t>(bits >> 16);
    if (dtype == Dtype::f32) {
      std::memcpy(data + i * 4, &value, 4);
      return;
    }
    if (dtype == Dtype::f16) {
      // Cut to 11 bits of mantissa; below 2^-14 to nothing.
      const auto exponent = static_cast<int>((bits >> 23) & 0xff) - 112;
      const std::uint32_t sign = (bits >> 16) & 0x8000;
      half = static_cast<std::uint16_t>(
          exponent <= 0 ? sign : sign | (static_cast<unsigned>(exponent) << 10) | ((bits >> 13) & 0x3ff));
    }
    std::memcpy(data + i * 2, &half, 2);
  }

  // Any integers with scales that make elements of about 1.
  void fill_blocks(std::byte* data, Random& random) const {
    for (std::int64_t i = 0; i < view.bytes(); ++i)
      data[i] = static_cast<std::byte>(static_cast<int>(128 + 127 * random()));
    const bool scaled_twice = block_length(view.dtype) > 32;
    for (std::int64_t i = 0; i < view.bytes(); i += block_bytes(view.dtype))
      for (const std::int64_t place : {0, 2})
        if (place == 0 || view.dtype != Dtype::q5_0)
          store(data + i + place, Dtype::f16, 0, random() / (scaled_twice ? 1024 : 16));
  }

  std::vector<std::uint64_t> bytes_;
};

// Expects |actual - expected| <= bound(r, c) everywhere and names the worst place.
template <class Bound>
void expect_within(ConstRows actual, ConstRows expected, const Bound& bound, const std::string& what) {
  double worst = 0;
  std::ostringstream message;
  for (std::int64_t r = 0; r < expected.rows; ++r) {
    for (std::int64_t c = 0; c < expected.cols; ++c) {
      const double allowed = bound(r, c);
      const double error = std::abs(double{actual.row(r)[c]} - expected.row(r)[c]);
      const double ratio = std::isfinite(error) ? error / std::max(allowed, 1e-300) : 1e300;
      if (ratio <= 1 || ratio <= worst) continue;
      worst = ratio;
      message.str("");
      message << "at [" << r << ", " << c << "] expected " << expected.row(r)[c] << ", actual "
              << actual.row(r)[c] << ", error " << error << ", bound " << allowed;
    }
  }
  EXPECT_EQ(message.str(), "") << what;
}

inline bool same_bits(ConstRows a, ConstRows b) {
  for (std::int64_t r = 0; r < a.rows; ++r)
    if (std::memcmp(a.row(r), b.row(r), static_cast<std::size_t>(a.cols) * sizeof(float)) != 0) return false;
  return true;
}

// sum_k |x[m, k]| |w[n, k]|, what the error of a dot product is measured by.
inline double absolute_product(ConstRows x, const std::vector<float>& w, std::int64_t m, std::int64_t n) {
  double sum = 0;
  for (std::int64_t k = 0; k < x.cols; ++k)
    sum += std::abs(double{x.row(m)[k]} * w[static_cast<std::size_t>(n * x.cols + k)]);
  return sum;
}

}  // namespace engines::test
