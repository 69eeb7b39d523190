// SPDX-License-Identifier: Apache-2.0
// Numbers of the GGUF format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engines/tensor/dtype.h"

namespace engines {

inline constexpr std::uint32_t kGgufVersion = 3;
inline constexpr std::uint64_t kGgufAlignment = 32;  // of tensor data, unless general.alignment says other

enum class GgufKind : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  text = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12
};

// Bytes of a value of a kind; 0 for texts and arrays, which tell their own, and for unknown kinds.
constexpr std::uint64_t bytes_of(GgufKind kind) {
  constexpr std::uint64_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  const auto i = static_cast<std::uint32_t>(kind);
  return i < std::size(bytes) ? bytes[i] : 0;
}

std::string_view name_of(GgufKind kind);

// A type of tensors: its number, its name, and what its blocks take.
struct GgufTensorType {
  std::uint32_t number;
  std::string_view name;
  std::uint64_t length, bytes;
  std::optional<Dtype> dtype;  // none for integers and doubles
};

// The types that are read, or null. Of other known numbers gguf_type_name tells the name.
const GgufTensorType* find_gguf_type(std::uint32_t number);
const GgufTensorType& gguf_type_of(Dtype dtype);
std::string gguf_type_name(std::uint32_t number);
std::string readable_gguf_types();  // for messages

// What general.file_type says of a file whose matrices are mostly of that type.
std::uint32_t gguf_file_type(Dtype dtype);

}  // namespace engines
