// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/grammar_constraint.h"

#include <algorithm>

#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

constexpr std::size_t kMostMasks = 512;

}  // namespace

TokenGrammar::TokenGrammar(const Grammar& grammar, const VocabularyTrie& trie, const TokenTexts& texts,
                           const EndTokens& ends)
    : automaton_(grammar), trie_(trie), texts_(texts), ends_(ends), start_(automaton_.start()) {
}

TokenGrammar::Mask TokenGrammar::mask(Automaton::State state) {
  const std::lock_guard lock(mutex_);
  if (const auto known = masks_.find(state); known != masks_.end()) return known->second;
  if (masks_.size() >= kMostMasks) masks_.clear();
  auto made = std::make_shared<const TokenMask>(compute(state));
  masks_.emplace(state, made);
  return made;
}

TokenMask TokenGrammar::compute(Automaton::State state) {
  TokenMask mask(static_cast<std::size_t>(trie_.vocab_size() + 63) / 64);
  const auto allow = [&](std::int32_t id) {
    mask[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64);
  };
  std::vector<Automaton::State> path{state};  // behind each byte of the present node
  const auto& nodes = trie_.nodes();
  for (std::size_t i = 0; i < nodes.size();) {
    const VocabularyTrie::Node& node = nodes[i];
    path.resize(node.depth);
    const Automaton::State next = automaton_.step(path.back(), node.byte);
    if (next == Automaton::kDead) {
      i = node.skip;
      continue;
    }
    for (std::int32_t t = node.tokens_begin; t < node.tokens_end; ++t)
      allow(trie_.tokens()[static_cast<std::size_t>(t)]);
    path.push_back(next);
    ++i;
  }
  if (automaton_.accepts(state)) {
    for (const std::int32_t end : ends_)
      allow(end);
  }
  if (std::ranges::all_of(mask, [](std::uint64_t word) { return word == 0; }))
    throw Error(RH_INVALID_ARGUMENT, "response_format: no token of the model can go on here");
  return mask;
}

Automaton::State TokenGrammar::step(Automaton::State state, std::int32_t id) {
  const std::lock_guard lock(mutex_);
  for (const char byte : texts_.bytes(id))
    state = automaton_.step(state, static_cast<unsigned char>(byte));
  return state;
}

bool TokenGrammar::ends(Automaton::State state) {
  const std::lock_guard lock(mutex_);
  return automaton_.ends(state);
}

}  // namespace engines::decoding
