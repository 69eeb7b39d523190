// SPDX-License-Identifier: Apache-2.0
// From a model directory or a GGUF file to a text generator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/decoding/text_embedder.h"
#include "engines/decoding/text_generator.h"
#include "engines/kernels/kernels.h"
#include "engines/tensor/dtype.h"

namespace engines::decoding {

struct TextOptions {
  std::optional<Dtype> weights;    // what the big matrices are rounded to; none: as stored
  int threads = 1;                 // for rounding
  std::uint64_t memory_limit = 0;  // 0 = none is known
  bool plan_only = false;          // only checks: rounds nothing
  bool lookup = true;              // BatchSettings::lookup
};

using TextFacts = std::vector<std::pair<std::string, std::string>>;

struct OpenText {
  std::unique_ptr<TextGenerator> generator;
  TextFacts facts;  // architecture, dtype.text, context, vocab
};

struct OpenEmbedder {
  std::unique_ptr<TextEmbedder> embedder;
  TextFacts facts;  // architecture, context, width
};

// The entries of config.json's `architectures` that are language models, and those that are encoders.
// Language models embed, too.
const std::vector<std::string_view>& text_architectures();
const std::vector<std::string_view>& encoder_architectures();

// Whether the path is of a language model, whatever else is wrong with it: a GGUF file, or a directory whose
// config.json names architectures and that has no model_index.json, or that has one GGUF file alone.
bool is_text_model(const std::filesystem::path& path);

// Whether it is of an encoder, which embeds and does not write.
bool is_encoder(const std::filesystem::path& path);

// Reads every header and checks that model, tokenizer and template fit each other; `kernels` must outlive the
// result. Throws MODEL_NOT_FOUND, WEIGHTS_MISSING, MODEL_INVALID, CAPABILITY_UNSUPPORTED for an architecture
// that is not run, OUT_OF_MEMORY.
OpenText open_text(const std::filesystem::path& path, Kernels& kernels, const TextOptions& options);
// The same for embedding, of an encoder or a language model.
OpenEmbedder open_embedder(const std::filesystem::path& path, Kernels& kernels, const TextOptions& options);

}  // namespace engines::decoding
