// SPDX-License-Identifier: Apache-2.0
// After diffusers' OvisImagePipeline.encode_prompt.
#include "engines/ovis/prompt_encoder.h"

#include <algorithm>

namespace engines::ovis {
namespace {

// Put before every prompt; what was trained with it.
constexpr const char* kInstruction =
    "Describe the image by detailing the color, quantity, text, shape, size, texture, spatial relationships "
    "of "
    "the objects and background: ";
constexpr std::size_t kLeftOut = 28;  // tokens of the published tokenizer; the same number for any other
constexpr std::size_t kRows = 256;

// What encoding gave for all tokens as the caption's rows. Padding behind the tokens does not change them, as
// each attends to those before it only; the reference sets its states to 0.
FloatBuffer caption_of(const FloatBuffer& hidden, std::int64_t width) {
  const auto skipped = std::min(kLeftOut * static_cast<std::size_t>(width), hidden.size());
  const std::size_t size = kRows * static_cast<std::size_t>(width);
  FloatBuffer caption(size);
  const std::size_t filled = std::min(hidden.size() - skipped, size);
  std::copy_n(hidden.data() + skipped, filled, caption.data());
  std::fill_n(caption.data() + filled, size - filled, 0.0F);
  return caption;
}

}  // namespace

OvisPromptEncoder::OvisPromptEncoder(const std::filesystem::path& directory, Kernels& kernels,
                                     const PipelineOptions& options)
    : encoder_(directory / "text_encoder", kernels, options.of_encoder(), options.threads),
      tokens_(directory, encoder_.described().config().vocab_size) {
  static_cast<void>(OvisPromptEncoder::tokenize("an image"));  // a template may refuse whatever it is given
}

PromptEncoder::Ids OvisPromptEncoder::tokenize(const std::string& prompt) const {
  return tokens_.encode(kInstruction + prompt, false, kLeftOut + kRows);
}

std::size_t OvisPromptEncoder::count_tokens(const std::string& prompt) const {
  return tokens_.encode(kInstruction + prompt, false, SIZE_MAX).size();
}

FloatBuffer OvisPromptEncoder::encode(const Ids& ids, Run& run, const Hidden& hidden) {
  return caption_of(encoder_.use().encode(ids, run, hidden), width());
}

FloatBuffer OvisPromptEncoder::rehearse(const Ids& ids, Run& run) const {
  return caption_of(encoder_.described().encode(ids, run), width());
}

std::int64_t OvisPromptEncoder::rows(std::size_t) const {
  return static_cast<std::int64_t>(kRows);
}

std::size_t OvisPromptEncoder::activation_bytes(std::size_t tokens) const {
  return encoder_.described().activation_bytes(tokens) +
         kRows * static_cast<std::size_t>(width()) * sizeof(float);
}

}  // namespace engines::ovis
