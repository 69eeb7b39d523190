// SPDX-License-Identifier: Apache-2.0
// The engines' reader of GGUF headers.
#include <span>

#include "engines/tensor/error.h"
#include "engines/weights/gguf_header.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    engines::read_gguf_header(bytes, "input");
  } catch (const engines::Error& error) {
    roundhouse::fuzz::require(error.code() == RH_MODEL_INVALID || error.code() == RH_CAPABILITY_UNSUPPORTED,
                              "what is damaged is refused as invalid or not read");
  }
  return 0;
}
