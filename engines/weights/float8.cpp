// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/float8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "engines/tensor/halves.h"

namespace engines {
namespace {

constexpr std::int64_t kBlock = 128;  // of scales for blocks, in both directions

float e4m3_to_float(std::uint8_t bits) {
  const int exponent = bits >> 3 & 15, mantissa = bits & 7;
  if (exponent == 15 && mantissa == 7) return std::numeric_limits<float>::quiet_NaN();
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                        : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return (bits & 0x80) != 0 ? -magnitude : magnitude;
}

using Table = std::array<float, 256>;

const Table& table_of(Float8 kind) {
  const auto made = [](Float8 of) {
    Table table;
    for (std::size_t i = 0; i < table.size(); ++i)
      table[i] = float8_to_float(static_cast<std::uint8_t>(i), of);
    return table;
  };
  static const Table e4m3 = made(Float8::e4m3), e5m2 = made(Float8::e5m2);
  return kind == Float8::e4m3 ? e4m3 : e5m2;
}

}  // namespace

std::optional<Float8> float8_of(std::string_view type) {
  if (type == "F8_E4M3") return Float8::e4m3;
  if (type == "F8_E5M2") return Float8::e5m2;
  return std::nullopt;
}

float float8_to_float(std::uint8_t bits, Float8 kind) {
  return kind == Float8::e4m3 ? e4m3_to_float(bits) : f16_to_float(static_cast<std::uint16_t>(bits << 8));
}

std::optional<Float8Scales> float8_scales(std::vector<float> values,
                                          const std::vector<std::int64_t>& scales_shape,
                                          const std::vector<std::int64_t>& weight_shape) {
  const auto count = static_cast<std::int64_t>(values.size());
  if (count == 1) return Float8Scales{std::move(values)};
  if (weight_shape.empty()) return std::nullopt;
  const std::int64_t rows = weight_shape.front();
  const bool column = scales_shape.size() == 1 || (scales_shape.size() == 2 && scales_shape.back() == 1);
  if (count == rows && column) return Float8Scales{std::move(values), rows, 1, 1, 0};
  if (weight_shape.size() != 2 || scales_shape.size() != 2) return std::nullopt;
  const auto blocks = [](std::int64_t side) { return (side + kBlock - 1) / kBlock; };
  if (scales_shape[0] != blocks(rows) || scales_shape[1] != blocks(weight_shape[1])) return std::nullopt;
  return Float8Scales{std::move(values), scales_shape[0], scales_shape[1], kBlock, kBlock};
}

void float8_rows_to_bf16(std::byte* out, const std::byte* data, Float8 kind, std::int64_t cols,
                         const Float8Scales& scales, std::int64_t first, std::int64_t count) {
  const Table& table = table_of(kind);
  const std::int64_t width = scales.block_cols == 0 ? std::max<std::int64_t>(cols, 1) : scales.block_cols;
  for (std::int64_t row = first; row < first + count; ++row) {
    const std::int64_t grid_row = scales.block_rows == 0 ? 0 : row / scales.block_rows;
    for (std::int64_t col = 0; col < cols; ++col) {
      const auto bits = std::to_integer<std::uint8_t>(data[row * cols + col]);
      const float scale = scales.values[static_cast<std::size_t>(grid_row * scales.grid_cols + col / width)];
      const std::uint16_t half = float_to_bf16(table[bits] * scale);
      std::memcpy(out + 2 * (row * cols + col), &half, sizeof half);
    }
  }
}

}  // namespace engines
