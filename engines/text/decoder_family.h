// SPDX-License-Identifier: Apache-2.0
// The families of decoders: a table of what their files are called, and a function each that reads what only
// they have.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engines/text/decoder_config.h"
#include "engines/weights/gguf.h"
#include "engines/weights/name_table.h"

namespace engines {

struct DecoderFamily {
  const char* model_type;    // of config.json
  const char* architecture;  // its class
  const char* gguf;          // general.architecture; null: files of another family hold such models
  GateActivation activation;
  bool tied;        // what an absent tie_word_embeddings means
  bool gguf_pairs;  // llama.cpp brings the rows of q and k into the order of neighbouring pairs
  // Fills what follows from fields of this family, after sizes, activation and head are there.
  void (*read)(const Config& json, DecoderConfig& config);
  // Adds to the fields that all families have those that `read` asks for, out of a GGUF file.
  void (*read_gguf)(const GgufFile& file, nlohmann::json& fields);
  std::vector<NameRule> gguf_names;  // come before those of llama_cpp_names()
};

std::span<const DecoderFamily> decoder_families();
// By `architectures`, or else by model_type. CAPABILITY_UNSUPPORTED for what is none of the table.
const DecoderFamily& decoder_family(const Config& json);
// By general.architecture; null when there is none.
const DecoderFamily* gguf_family(const std::string& architecture);

}  // namespace engines
