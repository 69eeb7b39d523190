// SPDX-License-Identifier: Apache-2.0
// rh.tokenize by the tokenizers of engines/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "engines/tensor/error.h"
#include "engines/tokenizer/tokenizer.h"
#include "roundhouse/ext/draft/tokenize.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse::pipeline {

// EngineType has  const engines::Tokenizer& tokenizer_of(const std::string& directory);
template <class EngineType>
class TokenizeExtension {
 public:
  // What EngineType::extension answers to RH_TOKENIZE_ID.
  static const rh_tokenize* get() {
    static constexpr rh_tokenize tokenize{sizeof(rh_tokenize), 0, &encode};
    return &tokenize;
  }

 private:
  static rh_status encode(rh_engine* engine, const char* directory, const char* text, std::uint64_t bytes,
                          std::uint32_t add_special, std::int32_t* ids, std::uint64_t capacity,
                          std::uint64_t* count, rh_error* error) {
    return guard<engines::Error>(error, [&] {
      const bool complete = engine != nullptr && directory != nullptr && count != nullptr &&
                            (text != nullptr || bytes == 0) && (ids != nullptr || capacity == 0);
      if (!complete)
        throw Error(RH_INVALID_ARGUMENT,
                    "encode: NULL, expected an engine, a directory, a text and places for ids");
      const auto& tokenizer = engine_of<EngineType>(engine).tokenizer_of(directory);
      const auto all =
          tokenizer.encode(bytes == 0 ? std::string_view() : std::string_view(text, bytes), add_special != 0);
      std::copy_n(all.begin(), std::min<std::uint64_t>(all.size(), capacity), ids);
      *count = all.size();
    });
  }
};

}  // namespace roundhouse::pipeline
