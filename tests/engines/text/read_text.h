// SPDX-License-Identifier: Apache-2.0
// Asking a language model for logits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engines/text/language_model.h"

namespace engines::test {

using Ids = std::vector<std::int32_t>;

struct Logits {
  std::vector<float> values;
  std::int64_t cols = 0;

  std::vector<float> row(std::int64_t r) const {
    return {values.begin() + r * cols, values.begin() + (r + 1) * cols};
  }
  // The most likely token behind the last row.
  std::int32_t choice() const {
    const auto last = values.end() - cols;
    return static_cast<std::int32_t>(std::max_element(last, values.end()) - last);
  }
};

inline Logits forward(LanguageModel& model, const std::vector<TextRows>& texts) {
  std::int64_t rows = 0;
  for (const TextRows& text : texts)
    rows += text.wanted;
  Logits logits{std::vector<float>(static_cast<std::size_t>(rows * model.vocab_size())), model.vocab_size()};
  QuietRun run;
  model.forward(texts, {logits.values.data(), rows, model.vocab_size()}, run);
  return logits;
}

// The logits behind the last of the ids, which are read in pieces.
inline Logits read_text(LanguageModel& model, TextState& state, const Ids& ids, std::int64_t piece) {
  Logits logits;
  const std::span<const std::int32_t> all(ids);
  for (std::size_t first = 0; first < ids.size(); first += static_cast<std::size_t>(piece)) {
    const auto part = all.subspan(first, std::min(static_cast<std::size_t>(piece), ids.size() - first));
    logits = forward(model, {{&state, part, 1}});
  }
  return logits;
}

}  // namespace engines::test
