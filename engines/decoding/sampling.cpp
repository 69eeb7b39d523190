// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engines/decoding/penalties.h"
#include "engines/decoding/token_random.h"
#include "engines/decoding/truncation.h"
#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

void refuse_invalid(std::span<const float> logits) {
  for (const float logit : logits) {
    if (std::isnan(logit) || logit == INFINITY)
      throw Error(RH_PIPELINE_ERROR, "generate: a logit is not finite");
  }
}

void forbid_all_but(std::span<float> logits, const TokenMask& allowed) {
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!allows(allowed, i)) logits[i] = -INFINITY;
  }
}

std::int32_t likeliest(std::span<const float> logits) {
  const auto place = std::ranges::max_element(logits);  // the first of equals
  if (*place == -INFINITY)
    throw Error(RH_INVALID_ARGUMENT, "request: logit biases and response format forbid every token");
  return static_cast<std::int32_t>(place - logits.begin());
}

// The logarithm of the sum of all e^logit.
double log_sum(std::span<const float> logits) {
  const double most = *std::ranges::max_element(logits);
  if (most == -INFINITY) return 0;
  double sum = 0;
  for (const float logit : logits)
    sum += std::exp(logit - most);
  return most + std::log(sum);
}

float logprob_of(float logit, double all) {
  return static_cast<float>(std::min(logit - all, 0.0));
}

std::vector<TokenChance> likeliest_ones(std::span<const float> logits, std::uint32_t count, double all) {
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    candidates.push_back({logits[i], static_cast<std::int32_t>(i)});
  const auto end = candidates.begin() + std::min<std::ptrdiff_t>(count, std::ssize(candidates));
  std::ranges::partial_sort(candidates, end, likelier);
  std::vector<TokenChance> top;
  for (auto one = candidates.begin(); one != end; ++one)
    top.push_back({one->id, logprob_of(one->logit, all)});
  return top;
}

}  // namespace

TokenSampler::TokenSampler(SamplingOptions options, std::int64_t vocab_size)
    : options_(std::move(options)), vocab_size_(vocab_size), surprise_(2 * options_.mirostat_tau) {
  for (const LogitBias& bias : options_.biases) {
    if (bias.id < 0 || bias.id >= vocab_size_)
      throw Error(RH_INVALID_ARGUMENT, fmt::format("logit bias: id {} is not in the vocabulary of {} tokens",
                                                   bias.id, vocab_size_));
  }
}

Choice TokenSampler::choose(std::span<float> logits, std::span<const std::int32_t> history,
                            const TokenMask* allowed, const Measured& measured) {
  refuse_invalid(logits);
  for (const LogitBias& bias : options_.biases)
    logits[static_cast<std::size_t>(bias.id)] += bias.bias;
  penalise(logits, history, options_);
  Choice choice;
  std::vector<float> penalised;  // before the mask, for the measurement
  double all = 0;
  if (measured.logprob) {
    all = log_sum(logits);
    choice.top = likeliest_ones(logits, measured.top, all);
    if (allowed != nullptr) penalised.assign(logits.begin(), logits.end());
  }
  if (allowed != nullptr) forbid_all_but(logits, *allowed);
  choice.id = likeliest(logits);
  if (options_.temperature > 0) choice.id = options_.mirostat_tau > 0 ? draw_mirostat(logits) : draw(logits);
  if (measured.logprob) {
    const auto index = static_cast<std::size_t>(choice.id);
    choice.logprob = logprob_of(penalised.empty() ? logits[index] : penalised[index], all);
  }
  return choice;
}

std::int32_t TokenSampler::draw(std::span<const float> logits) {
  Candidates candidates(logits);
  candidates.keep_top_k(options_.top_k);
  candidates.keep_typical(options_.typical_p);
  candidates.keep_top_p(options_.top_p);
  candidates.keep_min_p(options_.min_p);
  candidates.divide_by(options_.temperature);
  return candidates.id(candidates.pick(random_unit(options_.seed, drawn_++)));
}

// Algorithm 2 of the paper: the surprise that counts is that among all tokens, not that among those left.
std::int32_t TokenSampler::draw_mirostat(std::span<const float> logits) {
  Candidates candidates(logits);
  candidates.divide_by(options_.temperature);
  Candidates left = candidates;
  left.keep_surprise(surprise_);
  const std::int32_t id = left.id(left.pick(random_unit(options_.seed, drawn_++)));
  surprise_ -= options_.mirostat_eta * (candidates.surprise(id) - options_.mirostat_tau);
  return id;
}

}  // namespace engines::decoding
