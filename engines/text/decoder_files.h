// SPDX-License-Identifier: Apache-2.0
// What a model directory says of a decoder before its weights are opened.
#pragma once

#include <filesystem>
#include <string>

#include "engines/text/decoder_config.h"
#include "engines/weights/name_table.h"

namespace engines {

struct DecoderFiles {
  DecoderConfig config;
  std::string stem;   // of the weight files
  std::string shown;  // where the configuration comes from, in messages
  NameTable names;
};

// What the weight files in `folder` are called without their ending: "model", or the name of the only GGUF
// file there. MODEL_INVALID where there are several and none is model.gguf.
std::string find_weights_stem(const std::filesystem::path& folder);

// From <folder>/config.json and model.safetensors or its shards, or from the one GGUF file of the folder,
// which need not be called model.gguf; a config.json beside that counts.
DecoderFiles read_decoder_files(const std::filesystem::path& folder);

}  // namespace engines
