// SPDX-License-Identifier: Apache-2.0
#include "engines/zimage/prompt_encoder.h"

namespace engines::zimage {
namespace {

constexpr std::size_t kMaxPromptTokens = 512;

}  // namespace

ZImagePromptEncoder::ZImagePromptEncoder(const std::filesystem::path& directory, Kernels& kernels,
                                         const PipelineOptions& options)
    : encoder_(directory / "text_encoder", kernels, options.of_encoder(), options.threads),
      tokens_(directory, encoder_.described().config().vocab_size) {
  static_cast<void>(ZImagePromptEncoder::tokenize("an image"));  // a template may refuse whatever it is given
}

PromptEncoder::Ids ZImagePromptEncoder::tokenize(const std::string& prompt) const {
  return tokens_.encode(prompt, true, kMaxPromptTokens);
}

std::size_t ZImagePromptEncoder::count_tokens(const std::string& prompt) const {
  return tokens_.encode(prompt, true, SIZE_MAX).size();
}

}  // namespace engines::zimage
