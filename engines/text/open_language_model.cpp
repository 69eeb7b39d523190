// SPDX-License-Identifier: Apache-2.0
#include "engines/text/open_language_model.h"

namespace engines {

std::unique_ptr<LanguageModel> open_language_model(const std::filesystem::path& folder, Kernels& kernels,
                                                   const LanguageModelOptions& options) {
  return std::make_unique<DecoderModel>(folder, kernels, options);
}

std::uint64_t language_model_bytes(const std::filesystem::path& folder, const LanguageModelOptions& options) {
  const auto kernels = make_reference_kernels();
  LanguageModelOptions planned = options;
  planned.weights.pool = nullptr;
  planned.weights.plan_only = true;
  return DecoderModel(folder, *kernels, planned).weights().total_bytes();
}

}  // namespace engines
