// SPDX-License-Identifier: Apache-2.0
// How the next token is chosen from logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engines::decoding {

struct LogitBias {
  std::int32_t id = 0;
  float bias = 0;
};

// The fields mean what rh_sampling says of them; their ranges are the caller's promise.
struct SamplingOptions {
  std::uint32_t top_k = 0;
  std::uint64_t seed = 0;
  double temperature = 0;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double repetition_penalty = 1;
  double presence_penalty = 0;
  double frequency_penalty = 0;
  std::uint32_t repeat_last_n = 64;
  std::uint32_t dry_allowed_length = 2;
  double dry_multiplier = 0;
  double dry_base = 1.75;
  double mirostat_tau = 0;
  double mirostat_eta = 0.1;
  std::vector<LogitBias> biases;
};

// A bit for each token, 64 a word: whether it may come next.
using TokenMask = std::vector<std::uint64_t>;
inline bool allows(const TokenMask& mask, std::size_t id) {
  return (mask[id / 64] >> (id % 64) & 1U) != 0;
}

struct TokenChance {
  std::int32_t id = 0;
  float logprob = 0;
};

struct Choice {
  std::int32_t id = 0;
  float logprob = 0;             // when it was asked for
  std::vector<TokenChance> top;  // in falling order, of equals the lowest id first
};

// What is to be known of a choice besides the token.
struct Measured {
  bool logprob = false;
  std::uint32_t top = 0;
};

// Chooses the tokens of one text, one after the other. One thread at a time.
class TokenSampler {
 public:
  // INVALID_ARGUMENT for a bias of an id outside the vocabulary.
  TokenSampler(SamplingOptions options, std::int64_t vocab_size);

  // `logits`, of the whole vocabulary, are changed. `history`: prompt and answer so far. `allowed` may be
  // null: all. PIPELINE_ERROR for logits that are NaN or +infinity, INVALID_ARGUMENT where biases and
  // `allowed` forbid every token.
  Choice choose(std::span<float> logits, std::span<const std::int32_t> history, const TokenMask* allowed,
                const Measured& measured);

 private:
  std::int32_t draw(std::span<const float> logits);
  std::int32_t draw_mirostat(std::span<const float> logits);

  SamplingOptions options_;
  std::int64_t vocab_size_;
  std::uint64_t drawn_ = 0;
  double surprise_;  // mirostat's limit, in bits
};

}  // namespace engines::decoding
