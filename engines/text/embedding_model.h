// SPDX-License-Identifier: Apache-2.0
// A model that makes one vector of a text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/weights/weight_set.h"

namespace engines {

class EmbeddingModel {
 public:
  virtual ~EmbeddingModel() = default;
  virtual std::int64_t width() const = 0;   // of a vector
  virtual std::int64_t window() const = 0;  // ids of a text, at most
  virtual std::uint64_t weight_bytes() const = 0;
  // The vector of one text, [width()], normalised where the model says so. `ids` are what its tokenizer
  // gives, special tokens included. The same ids give the same bits whatever was asked before. Throws
  // INVALID_ARGUMENT for no ids or more than the window, MODEL_INVALID for an id outside the embedding,
  // CANCELLED between layers. One call at a time.
  virtual std::vector<float> embed(std::span<const std::int32_t> ids, Run& run) = 0;
};

// The model in `folder`: an encoder of the BERT family (bert, roberta, xlm-roberta, nomic_bert), or a decoder
// of any family (open_language_model.h), whose text gets config.json's pad token at its end where it is not
// there. Safetensors or one GGUF file. Pooling and norm as pooling.h reads them. `kernels` must outlive it.
std::unique_ptr<EmbeddingModel> open_embedding_model(const std::filesystem::path& folder, Kernels& kernels,
                                                     const WeightOptions& weights = {});

}  // namespace engines
