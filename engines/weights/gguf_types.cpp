// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/gguf_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace engines {
namespace {

constexpr std::array<GgufTensorType, 16> kTypes{{{0, "F32", 1, 4, Dtype::f32},
                                                 {1, "F16", 1, 2, Dtype::f16},
                                                 {30, "BF16", 1, 2, Dtype::bf16},
                                                 {8, "Q8_0", 32, 34, Dtype::q8_0},
                                                 {2, "Q4_0", 32, 18, Dtype::q4_0},
                                                 {3, "Q4_1", 32, 20, Dtype::q4_1},
                                                 {6, "Q5_0", 32, 22, Dtype::q5_0},
                                                 {7, "Q5_1", 32, 24, Dtype::q5_1},
                                                 {12, "Q4_K", 256, 144, Dtype::q4_K},
                                                 {13, "Q5_K", 256, 176, Dtype::q5_K},
                                                 {14, "Q6_K", 256, 210, Dtype::q6_K},
                                                 {24, "I8", 1, 1, std::nullopt},
                                                 {25, "I16", 1, 2, std::nullopt},
                                                 {26, "I32", 1, 4, std::nullopt},
                                                 {27, "I64", 1, 8, std::nullopt},
                                                 {28, "F64", 1, 8, std::nullopt}}};

constexpr std::pair<std::uint32_t, std::string_view> kUnread[] = {
    {9, "Q8_1"},     {10, "Q2_K"},  {11, "Q3_K"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"},
    {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"}, {22, "IQ2_S"},   {23, "IQ4_XS"},
    {29, "IQ1_M"},   {34, "TQ1_0"}, {35, "TQ2_0"},  {39, "MXFP4"}, {40, "NVFP4"}};

}  // namespace

std::string_view name_of(GgufKind kind) {
  constexpr std::array<std::string_view, 13> names = {"u8",   "i8",   "u16",   "i16", "u32", "i32", "f32",
                                                      "bool", "text", "array", "u64", "i64", "f64"};
  const auto i = static_cast<std::uint32_t>(kind);
  return i < names.size() ? names[i] : "?";
}

const GgufTensorType* find_gguf_type(std::uint32_t number) {
  const auto* const found = std::ranges::find(kTypes, number, &GgufTensorType::number);
  return found == kTypes.end() ? nullptr : found;
}

const GgufTensorType& gguf_type_of(Dtype dtype) {
  const auto* const found = std::ranges::find(kTypes, std::optional(dtype), &GgufTensorType::dtype);
  assert(found != kTypes.end());
  return *found;
}

std::string gguf_type_name(std::uint32_t number) {
  if (const auto* const known = find_gguf_type(number)) return std::string(known->name);
  for (const auto& [unread, name] : kUnread)
    if (unread == number) return std::string(name);
  return fmt::format("number {}", number);
}

std::string readable_gguf_types() {
  std::string text;
  for (const auto& type : kTypes)
    if (type.dtype) text += (text.empty() ? "" : ", ") + std::string(type.name);
  return text;
}

std::uint32_t gguf_file_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return 0;
    case Dtype::f16:
      return 1;
    case Dtype::q4_0:
      return 2;
    case Dtype::q4_1:
      return 3;
    case Dtype::q8_0:
      return 7;
    case Dtype::q5_0:
      return 8;
    case Dtype::q5_1:
      return 9;
    case Dtype::q4_K:
      return 14;
    case Dtype::q5_K:
      return 16;
    case Dtype::q6_K:
      return 18;
    case Dtype::bf16:
      return 32;
  }
  return 0;
}

}  // namespace engines
