// SPDX-License-Identifier: Apache-2.0
// Floats of 8 bits as safetensors hold them, with the scales that lie beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace engines {

enum class Float8 {
  e4m3,  // "F8_E4M3": no infinities, 448 is the greatest
  e5m2   // "F8_E5M2": half of an f16
};

// By the name of the type in a safetensors header.
std::optional<Float8> float8_of(std::string_view type);

float float8_to_float(std::uint8_t bits, Float8 kind);

// Factors of a matrix [rows, cols]: each stands for a rectangle of it, all of the same size but for those at
// the right and at the bottom. {1} with one row and one column: one for all.
struct Float8Scales {
  std::vector<float> values{1.0F};  // [grid_rows, grid_cols]
  std::int64_t grid_rows = 1, grid_cols = 1;
  std::int64_t block_rows = 0, block_cols = 0;  // of a rectangle; 0: all there are
};

// The scales for a weight of that shape, or nothing when that many of them mean nothing that is known: one
// for all, one a row, or one for 128 by 128 elements.
std::optional<Float8Scales> float8_scales(std::vector<float> values,
                                          const std::vector<std::int64_t>& scales_shape,
                                          const std::vector<std::int64_t>& weight_shape);

// Writes rows `first` to `first + count` of a matrix of `cols` columns as bf16, each element times its scale
// and rounded to nearest. `data` and `out` begin at row 0. Any thread.
void float8_rows_to_bf16(std::byte* out, const std::byte* data, Float8 kind, std::int64_t cols,
                         const Float8Scales& scales, std::int64_t first, std::int64_t count);

}  // namespace engines
