// SPDX-License-Identifier: Apache-2.0
// The host's reader of GGUF headers.
#include "host/store/gguf_header.h"

#include "roundhouse/error.hpp"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace roundhouse;
  const fuzz::MemoryFile file(data, size);
  try {
    const host::GgufHeader header = host::read_gguf_header(file.path(), "input");
    std::uint64_t end = header.bytes;
    for (const host::GgufTensor& tensor : header.tensors) {
      fuzz::require(tensor.begin >= end && tensor.end >= tensor.begin && tensor.end <= size,
                    "tensors follow each other within the file");
      end = tensor.end;
    }
    host::is_image_transformer(header);
    host::text_architecture(header, "input");
  } catch (const Error& error) {
    fuzz::require(error.code() == RH_MODEL_INVALID, "what is damaged is refused as invalid");
  }
  return 0;
}
