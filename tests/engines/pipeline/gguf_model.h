// SPDX-License-Identifier: Apache-2.0
// Components written again in other types, formats and namings, as tests need them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "engines/weights/tensor_writer.h"
#include "engines/weights/weight_set.h"

namespace engines::test {

enum class Format { safetensors, gguf };

struct Rewriting {
  Format format = Format::gguf;
  Dtype type = Dtype::bf16;               // as choose_type understands it
  NameTable names{};                      // of the file that is written
  std::string prefix{};                   // in front of every name
  std::map<std::string, Dtype> others{};  // types of tensors of the model whose names begin so
  GgufKeys keys{};                        // of a GGUF file
};

// Writes the weights of <folder>/<stem> as <to>/<stem> with the extension of the format; parts that the
// naming fuses are put together again.
void rewrite_weights(const std::filesystem::path& folder, const std::string& stem,
                     const std::filesystem::path& to, const Rewriting& how);

// The key-values of a text encoder's GGUF, from its config.json.
GgufKeys encoder_keys(const std::filesystem::path& folder);

}  // namespace engines::test
