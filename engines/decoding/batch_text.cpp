// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/batch_text.h"

#include <algorithm>
#include <utility>

namespace engines::decoding {

std::vector<std::int32_t> shifted(const std::vector<std::int32_t>& ids, std::int64_t keep) {
  const auto count = std::ssize(ids);
  keep = std::clamp<std::int64_t>(keep, 0, count - 1);
  const std::int64_t dropped = std::max<std::int64_t>((count - keep) / 2, 1);
  std::vector<std::int32_t> left(ids.begin(), ids.begin() + keep);
  left.insert(left.end(), ids.begin() + keep + dropped, ids.end());
  return left;
}

BatchText::BatchText(BatchInput&& asked, TextReader& who)
    : input(std::move(asked)), reader(who), ids(input.prompt), read_in_pieces(std::ssize(ids)) {
}

TextRows BatchText::next_rows(std::int64_t piece) {
  const std::int64_t from = held();
  const auto first = ids.begin() + from;
  if (reads_prompt()) {
    const std::int64_t count = std::min(piece, read_in_pieces - from);
    pending.assign(first, first + count);
    return {state.get(), pending, from + count == std::ssize(ids) ? 1 : 0};
  }
  // More than one where the state was given up, and is made again.
  const std::int64_t count = std::min(LanguageModel::kFewRows, std::ssize(ids) - from);
  pending.assign(first, first + count);
  if (from + count < std::ssize(ids)) return {state.get(), pending, 0};
  const std::int64_t guessed = std::min(LanguageModel::kFewRows - count, std::ssize(guess));
  pending.insert(pending.end(), guess.begin(), guess.begin() + guessed);
  return {state.get(), pending, guessed + 1};
}

std::int64_t BatchText::guess_room() const {
  return std::max<std::int64_t>(0, input.window - std::ssize(ids) - 1);
}

bool BatchText::meet_window(std::int64_t piece) {
  if (std::ssize(ids) < input.window) return true;
  if (!input.shift) {
    report.full = true;
    return false;
  }
  const std::int64_t keep = std::clamp<std::int64_t>(input.keep, 0, std::ssize(ids) - 1);
  ids = shifted(ids, keep);
  guess.clear();
  if (state) state->truncate(std::min({held(), keep, read_in_pieces}) / piece * piece);
  read_in_pieces = std::ssize(ids);
  kept = false;
  return true;
}

}  // namespace engines::decoding
