// SPDX-License-Identifier: Apache-2.0
// Safetensors files, mapped into memory.
#pragma once

#include <filesystem>

#include "engines/weights/weight_file.h"

namespace engines {

// One mapped .safetensors file. The header is checked completely on opening: size, JSON, duplicate keys,
// dtypes, shapes (products without overflow), offsets (inside the file, in order, not overlapping, no gaps).
// Throws MODEL_INVALID naming file and tensor, IO_ERROR, or WEIGHTS_MISSING when there is no such file.
// Tensors of F32, BF16 and F16 have views.
class SafetensorsFile : public WeightFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
};

}  // namespace engines
