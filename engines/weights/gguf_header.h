// SPDX-License-Identifier: Apache-2.0
// The header of a .gguf file, checked completely: nothing that it claims is believed, or allocated, before it
// was compared with the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engines/weights/gguf_metadata.h"

namespace engines {

struct GgufEntry {
  const GgufTensorType* type = nullptr;  // null: of a type that is not read, and so of unknown size
  std::string type_name;
  std::vector<std::int64_t> shape;  // row-major: the fastest dimension last, unlike in the file
  std::uint64_t begin = 0;          // relative to the data
  std::uint64_t bytes = 0;
};

struct GgufHeader {
  GgufMetadata metadata;
  std::map<std::string, GgufEntry, std::less<>> entries;
  std::uint64_t data_offset = 0;  // where the data begins in the file
};

// `file` is the whole file, `shown` its name in messages. MODEL_INVALID names the key or tensor at fault.
GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& shown);

}  // namespace engines
