// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/safetensors.h"

#include "engines/weights/safetensors_header.h"

namespace engines {
namespace {

std::optional<Dtype> float_dtype(std::string_view name) {
  if (name == "F32") return Dtype::f32;
  if (name == "BF16") return Dtype::bf16;
  if (name == "F16") return Dtype::f16;
  return std::nullopt;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : WeightFile(path) {
  const auto header = read_safetensors_header({file().data(), file().size()}, shown());
  for (const auto& [name, entry] : header.entries) {
    const std::byte* const data = file().data() + header.data_offset + entry.begin;
    add(name, {entry.dtype, entry.shape, data, entry.end - entry.begin}, float_dtype(entry.dtype));
  }
}

}  // namespace engines
