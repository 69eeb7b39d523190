// SPDX-License-Identifier: Apache-2.0
// GGUF files (version 2 and 3, little-endian), mapped into memory.
#pragma once

#include <filesystem>

#include "engines/weights/gguf_metadata.h"
#include "engines/weights/weight_file.h"

namespace engines {

// One mapped .gguf file. The header is checked completely on opening: magic number, version, counts, lengths,
// types, alignment, dimensions (products without overflow, rows of whole blocks), offsets (aligned, inside
// the file, not overlapping), names and keys that come twice. Throws MODEL_INVALID naming file and tensor or
// key, CAPABILITY_UNSUPPORTED for a tensor type that is not read, IO_ERROR, or WEIGHTS_MISSING when there is
// no such file. Shapes are row-major, as everywhere here: the file's dimensions in reverse.
class GgufFile : public WeightFile {
 public:
  explicit GgufFile(const std::filesystem::path& path);
  const GgufMetadata& metadata() const { return metadata_; }

 private:
  GgufMetadata metadata_;
};

}  // namespace engines
