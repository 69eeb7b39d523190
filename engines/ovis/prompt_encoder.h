// SPDX-License-Identifier: Apache-2.0
// How Ovis-Image reads a prompt: behind an instruction, as a user's message, the last hidden state of Qwen3.
#pragma once

#include <filesystem>

#include "engines/pipeline/latent_model.h"
#include "engines/pipeline/prompt_tokens.h"
#include "engines/text/qwen3_encoder.h"

namespace engines::ovis {

class OvisPromptEncoder final : public PromptEncoder {
 public:
  // Throws MODEL_INVALID where tokenizer and encoder do not fit each other, ...
  OvisPromptEncoder(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options);

  // Cut to 284 tokens after templating.
  Ids tokenize(const std::string& prompt) const override;
  std::size_t count_tokens(const std::string& prompt) const override;
  // [256, width()]: without the first 28 tokens, which hold the template and the beginning of the
  // instruction; zeros behind the prompt, which the denoiser attends to.
  FloatBuffer encode(const Ids& ids, Run& run, const Hidden& hidden) override;
  FloatBuffer rehearse(const Ids& ids, Run& run) const override;
  std::int64_t rows(std::size_t tokens) const override;
  std::int64_t width() const override { return encoder_.described().config().hidden_size; }
  std::size_t activation_bytes(std::size_t tokens) const override;
  ModelComponent& component() override { return encoder_; }

 private:
  struct Encoder : Qwen3Encoder {
    Encoder(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options)
        : Qwen3Encoder(folder, kernels, options, HiddenState::last) {}
  };

  Component<Encoder> encoder_;
  PromptTokens tokens_;
};

}  // namespace engines::ovis
