// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_encoder.h"

#include <algorithm>

namespace engines {

Qwen3Encoder::Qwen3Encoder(const std::filesystem::path& folder, Kernels& kernels,
                           const WeightOptions& options, HiddenState output)
    : stack_(folder, "text_encoder", options, output), kernels_(kernels) {
}

std::uint64_t Qwen3Encoder::weight_bytes(const std::filesystem::path& folder, const WeightOptions& options) {
  const auto kernels = make_reference_kernels();
  return Qwen3Encoder(folder, *kernels, {.matrices = options.matrices, .plan_only = true})
      .weights()
      .total_bytes();
}

FloatBuffer Qwen3Encoder::encode(const std::vector<std::int32_t>& ids, Run& run, const Tap& tap) const {
  FloatBuffer hidden(ids.size() * static_cast<std::size_t>(config().hidden_size));
  const Rows x{hidden.data(), static_cast<std::int64_t>(ids.size()), config().hidden_size};
  stack_.embed(x, ids);
  stack_.run(x, kernels_, nullptr, run, tap);
  return hidden;
}

std::size_t Qwen3Encoder::activation_bytes(std::size_t tokens) const {
  const std::size_t result = tokens * static_cast<std::size_t>(config().hidden_size);
  // A row of the embedding makes the pages about it resident, as many as the system maps at a fault.
  constexpr std::uint64_t kMappedAtAFault = 64 << 10;
  const std::uint64_t embedding =
      std::min(weights().total_bytes() - std::min(weights().total_bytes(), resident_bytes()),
               tokens * kMappedAtAFault);
  return static_cast<std::size_t>(embedding) +
         stack_.scratch_bytes(static_cast<std::int64_t>(tokens), false) +
         (result + 15) / 16 * 16 * sizeof(float);
}

}  // namespace engines
