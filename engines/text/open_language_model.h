// SPDX-License-Identifier: Apache-2.0
// Language models of every family by their directories.
#pragma once

#include <filesystem>
#include <memory>

#include "engines/text/decoder_model.h"

namespace engines {

// The model in `folder` as DecoderModel reads it. `kernels` must outlive it.
std::unique_ptr<LanguageModel> open_language_model(const std::filesystem::path& folder, Kernels& kernels,
                                                   const LanguageModelOptions& options = {});
// What its weights would take, from headers alone; the same errors.
std::uint64_t language_model_bytes(const std::filesystem::path& folder, const LanguageModelOptions& options);

}  // namespace engines
