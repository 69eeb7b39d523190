// SPDX-License-Identifier: Apache-2.0
// A model's chat template, which is a program of a stranger.
#include "engines/tokenizer/chat_template.h"

#include "engines/tensor/error.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    engines::ChatTemplate(std::string(reinterpret_cast<const char*>(data), size))
        .render_prompt("a cat", true);
  } catch (const engines::Error& error) {
    roundhouse::fuzz::require(error.code() == RH_MODEL_INVALID,
                              "what cannot be rendered is refused as invalid");
  }
  return 0;
}
