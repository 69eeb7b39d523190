// SPDX-License-Identifier: Apache-2.0
// How Z-Image reads a prompt: as a user's message, the second-to-last hidden state of Qwen3.
#pragma once

#include <filesystem>

#include "engines/pipeline/latent_model.h"
#include "engines/pipeline/prompt_tokens.h"
#include "engines/text/qwen3_encoder.h"

namespace engines::zimage {

class ZImagePromptEncoder final : public PromptEncoder {
 public:
  // Throws MODEL_INVALID where tokenizer and encoder do not fit each other, ...
  ZImagePromptEncoder(const std::filesystem::path& directory, Kernels& kernels,
                      const PipelineOptions& options);

  // Cut to 512 tokens after templating.
  Ids tokenize(const std::string& prompt) const override;
  std::size_t count_tokens(const std::string& prompt) const override;
  FloatBuffer encode(const Ids& ids, Run& run, const Hidden& hidden) override {
    return encoder_.use().encode(ids, run, hidden);
  }
  FloatBuffer rehearse(const Ids& ids, Run& run) const override {
    return encoder_.described().encode(ids, run);
  }
  std::int64_t rows(std::size_t tokens) const override { return static_cast<std::int64_t>(tokens); }
  std::int64_t width() const override { return encoder_.described().config().hidden_size; }
  std::size_t activation_bytes(std::size_t tokens) const override {
    return encoder_.described().activation_bytes(tokens);
  }
  ModelComponent& component() override { return encoder_; }

 private:
  Component<Qwen3Encoder> encoder_;
  PromptTokens tokens_;
};

}  // namespace engines::zimage
