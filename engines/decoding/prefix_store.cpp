// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/prefix_store.h"

#include <algorithm>
#include <utility>

namespace engines::decoding {
namespace {

constexpr std::size_t kMostKept = 64;

}  // namespace

std::int64_t common_prefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

std::unique_ptr<TextState> PrefixStore::take(std::span<const std::int32_t> ids) {
  if (ids.empty()) return nullptr;
  const auto all_but_last = ids.first(ids.size() - 1);  // its logits are wanted
  std::int64_t longest = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    const std::int64_t common = usable(common_prefix(kept_[i].ids, all_but_last));
    if (common < longest || common == 0) continue;
    longest = common;
    best = i;
  }
  if (longest == 0) return nullptr;
  std::rotate(kept_.begin() + static_cast<std::ptrdiff_t>(best),
              kept_.begin() + static_cast<std::ptrdiff_t>(best) + 1, kept_.end());
  return kept_.back().state->fork(longest);
}

void PrefixStore::keep(std::span<const std::int32_t> read, const TextState& state) {
  const std::int64_t tokens = usable(std::min(std::ssize(read), state.size()));
  if (tokens == 0) return;
  const auto ids = read.first(static_cast<std::size_t>(tokens));
  // What another one says already is not kept twice.
  for (std::size_t i = kept_.size(); i-- > 0;) {
    const std::int64_t common = common_prefix(kept_[i].ids, ids);
    if (common == tokens) return;
    if (common == std::ssize(kept_[i].ids)) forget(i);
  }
  const std::uint64_t bytes = model_.state_bytes(tokens);
  kept_.push_back({{ids.begin(), ids.end()}, state.fork(tokens), bytes});
  bytes_ += bytes;
  if (kept_.size() > kMostKept) drop_oldest();
}

void PrefixStore::drop_oldest() {
  if (!kept_.empty()) forget(0);
}

void PrefixStore::forget(std::size_t index) {
  bytes_ -= kept_[index].bytes;
  kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(index));
}

}  // namespace engines::decoding
