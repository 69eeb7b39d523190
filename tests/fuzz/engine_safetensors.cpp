// SPDX-License-Identifier: Apache-2.0
// The engines' reader of safetensors headers.
#include <span>

#include "engines/tensor/error.h"
#include "engines/weights/safetensors_header.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    const engines::SafetensorsHeader header = engines::read_safetensors_header(bytes, "input");
    for (const auto& [name, entry] : header.entries)
      roundhouse::fuzz::require(entry.begin <= entry.end && header.data_offset + entry.end <= size,
                                "tensors lie within the file");
  } catch (const engines::Error& error) {
    roundhouse::fuzz::require(error.code() == RH_MODEL_INVALID, "what is damaged is refused as invalid");
  }
  return 0;
}
