// SPDX-License-Identifier: Apache-2.0
// What the key-values of llama.cpp's GGUF files mean as fields of transformers' config.json.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engines/weights/config.h"
#include "engines/weights/gguf.h"

namespace engines {

// The fields that every decoder has, of the architecture that the file names: model type, widths, counts,
// rotary base and scaling, and the vocabulary's size, which the embedding tells. A key that is missing or out
// of range is MODEL_INVALID by name.
nlohmann::json common_fields(const GgufFile& file, const std::string& architecture);

// What one family adds to them.
void plain_fields(const GgufFile& file, nlohmann::json& fields);
void llama_fields(const GgufFile& file, nlohmann::json& fields);
void phi3_fields(const GgufFile& file, nlohmann::json& fields);
void gemma2_fields(const GgufFile& file, nlohmann::json& fields);
void gemma3_fields(const GgufFile& file, nlohmann::json& fields);

}  // namespace engines
