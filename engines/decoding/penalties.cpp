// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/penalties.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

namespace engines::decoding {
namespace {

// What a logit loses at most: enough to forbid a token, and finite, so that it can still be told from the
// others where all are penalised.
constexpr double kMostLost = 1e9;

void penalise_counts(std::span<float> logits, std::span<const std::int32_t> last,
                     const SamplingOptions& options) {
  std::unordered_map<std::int32_t, std::uint32_t> counts;
  for (const std::int32_t id : last)
    ++counts[id];
  for (const auto& [id, count] : counts) {
    if (id < 0 || static_cast<std::size_t>(id) >= logits.size()) continue;
    float& logit = logits[static_cast<std::size_t>(id)];
    double value = logit;
    value = value > 0 ? value / options.repetition_penalty : value * options.repetition_penalty;
    value -= options.presence_penalty + options.frequency_penalty * count;
    logit = static_cast<float>(value);
  }
}

// For each position of the reversed text: how many tokens from there on are those of its beginning (the Z
// algorithm, linear).
std::vector<std::size_t> common_lengths(const std::vector<std::int32_t>& text) {
  std::vector<std::size_t> z(text.size());
  std::size_t left = 0, right = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (i < right) z[i] = std::min(right - i, z[i - left]);
    while (i + z[i] < text.size() && text[z[i]] == text[i + z[i]])
      ++z[i];
    if (i + z[i] > right) {
      left = i;
      right = i + z[i];
    }
  }
  return z;
}

void penalise_repetitions(std::span<float> logits, std::span<const std::int32_t> last,
                          const SamplingOptions& options) {
  const std::vector<std::int32_t> reversed(last.rbegin(), last.rend());
  const std::vector<std::size_t> lengths = common_lengths(reversed);
  std::unordered_map<std::int32_t, std::size_t> longest;  // of the repetitions that a token goes on with
  for (std::size_t i = 1; i < reversed.size(); ++i) {
    if (lengths[i] == 0 || lengths[i] < options.dry_allowed_length) continue;
    std::size_t& length = longest[reversed[i - 1]];
    length = std::max(length, lengths[i]);
  }
  for (const auto& [id, length] : longest) {
    if (id < 0 || static_cast<std::size_t>(id) >= logits.size()) continue;
    const auto excess = static_cast<double>(length - options.dry_allowed_length);
    const double lost = options.dry_multiplier * std::pow(options.dry_base, excess);
    logits[static_cast<std::size_t>(id)] -= static_cast<float>(std::min(lost, kMostLost));
  }
}

}  // namespace

void penalise(std::span<float> logits, std::span<const std::int32_t> history,
              const SamplingOptions& options) {
  const auto last = history.last(std::min<std::size_t>(history.size(), options.repeat_last_n));
  if (last.empty()) return;
  if (options.repetition_penalty != 1 || options.presence_penalty != 0 || options.frequency_penalty != 0)
    penalise_counts(logits, last, options);
  if (options.dry_multiplier != 0) penalise_repetitions(logits, last, options);
}

}  // namespace engines::decoding
