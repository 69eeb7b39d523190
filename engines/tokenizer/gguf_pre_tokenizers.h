// SPDX-License-Identifier: Apache-2.0
// What the names in `tokenizer.ggml.pre` stand for.
#pragma once

#include <string>
#include <string_view>

#include "engines/tokenizer/tokenizer_spec.h"

namespace engines {

struct GgufPreTokenizer {
  bool ignore_merges = false;
  bool begins = false;  // with BOS, unless the file says otherwise
  nlohmann::json normalizer;
  nlohmann::json pre_tokenizer;
};

// CAPABILITY_UNSUPPORTED with the known names for any other; `shown` is the file.
GgufPreTokenizer find_gguf_pre_tokenizer(std::string_view name, const std::string& shown);

}  // namespace engines
