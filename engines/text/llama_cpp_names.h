// SPDX-License-Identifier: Apache-2.0
// What llama.cpp's GGUF files say of text models: names of tensors, and configurations.
#pragma once

#include <filesystem>
#include <string>

#include "engines/weights/config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/name_table.h"

namespace engines {

struct DecoderFamily;

// From llama.cpp's names ("blk.0.attn_q.weight") to transformers' ("model.layers.0.self_attn.q_proj.weight").
// Of qwen2 and qwen3 rows are as transformers has them; of the llama architecture those of q and k lie where
// row_for_neighbouring_pairs (name_table.h) says.
const NameTable& llama_cpp_names();
// With the names that only this family has in such files.
NameTable llama_cpp_names(const DecoderFamily& family);

// The fields of a config.json that the key-values of such a file stand for, as transformers writes them:
// model type, widths, counts, rotary base, and the vocabulary's size, which the embedding tells. A key that
// is missing or out of range is MODEL_INVALID by name, an architecture of no family of decoders
// CAPABILITY_UNSUPPORTED.
Config config_of_gguf(const GgufFile& file);

// Of an encoder of prompts: <folder>/config.json, `shown` in messages, when there is one, or else what
// <folder>/<stem>.gguf says, which must be qwen3 (CAPABILITY_UNSUPPORTED). Errors as Config::read has them.
Config read_text_config(const std::filesystem::path& folder, const std::string& stem,
                        const std::string& shown);

}  // namespace engines
