// SPDX-License-Identifier: Apache-2.0
// Who stays in memory while who works: a pure function of sizes and a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace engines {

// The weights of one component as they would be resident, in bytes.
struct WeightBytes {
  std::uint64_t all = 0;
  // The least that must be resident at once when blocks are read and given back one after the other; equal to
  // `all` where weights cannot be given back, because they exist nowhere else in the form that is used.
  std::uint64_t least = 0;
};

// What a picture takes, in bytes.
struct MemoryNeeds {
  std::uint64_t process = 0;  // program, libraries, tokenizer, scratch of the kernels
  WeightBytes encoder, transformer, vae;
  std::uint64_t encode = 0, denoise = 0;  // activations
  // Activations of the decoder when it may use that much; above the budget where it cannot do with less.
  std::function<std::uint64_t(std::uint64_t budget)> decode;
};

enum class Residency {
  automatic,  // all when it fits the limit; without a limit, all when the weights are mapped files
  all,        // encoder, transformer and VAE stay, whatever comes
  staged      // encoder and transformer are never resident together
};

enum class VaeTiling {
  automatic,  // as far as the usual budget and the limit ask for
  on,         // least memory
  off         // least time
};

struct MemoryPlan {
  bool staged = false;               // the encoder goes before the transformer comes, and the other way round
  bool release_transformer = false;  // before the decoder comes
  // How much of the weights may be resident; less than WeightBytes::all means streaming.
  std::uint64_t encoder_window = 0, transformer_window = 0;
  std::uint64_t decode_budget = 0;
  // Of the process, while the first picture is made: what a stage needs has come, nothing else.
  std::uint64_t encode_peak = 0, denoise_peak = 0, decode_peak = 0;
  std::uint64_t peak = 0;  // of any picture: a later one finds resident what those before left
  std::uint64_t held = 0;  // after a picture
};

struct MemoryWish {
  std::uint64_t limit = 0;  // 0 = none
  Residency residency = Residency::automatic;
  VaeTiling vae_tiling = VaeTiling::automatic;
  std::uint64_t usual_decode_budget = UINT64_MAX;  // of the automatic choice without a limit
};

// The plan that keeps most and fits. Throws OUT_OF_MEMORY with the figures of the most frugal one when that
// does not fit either; `what` names the work in the message ("a picture of 1024x1024").
MemoryPlan plan_memory(const MemoryNeeds& needs, const MemoryWish& wish, const std::string& what);

}  // namespace engines
