// SPDX-License-Identifier: Apache-2.0
// The header of a .safetensors file, checked completely: 8 bytes of length, JSON, then the data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace engines {

struct SafetensorsEntry {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // relative to the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::size_t data_offset = 0;  // where the data begins in the file
  std::map<std::string, SafetensorsEntry, std::less<>> entries;
};

// `file` is the whole file, `shown` its name in messages. MODEL_INVALID names the tensor at fault.
SafetensorsHeader read_safetensors_header(std::span<const std::byte> file, const std::string& shown);

}  // namespace engines
