// SPDX-License-Identifier: Apache-2.0
// An answer held to a grammar: which tokens keep it possible.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engines/decoding/constraint.h"
#include "engines/decoding/end_tokens.h"
#include "engines/decoding/grammar/automaton.h"
#include "engines/decoding/grammar/vocabulary_trie.h"

namespace engines::decoding {

// A grammar over one vocabulary, shared by the answers that are held to it. Any number of threads.
class TokenGrammar {
 public:
  using Mask = std::shared_ptr<const TokenMask>;

  // Refers to all but the grammar. As Automaton throws, and INVALID_ARGUMENT where no token can begin a text.
  TokenGrammar(const Grammar& grammar, const VocabularyTrie& trie, const TokenTexts& texts,
               const EndTokens& ends);

  Automaton::State start() const { return start_; }
  // The tokens behind which some text may follow, and end tokens where the text may end.
  Mask mask(Automaton::State state);
  Automaton::State step(Automaton::State state, std::int32_t id);
  // Whether the text is complete, and nothing can follow.
  bool ends(Automaton::State state);

 private:
  TokenMask compute(Automaton::State state);

  std::mutex mutex_;
  Automaton automaton_;
  const VocabularyTrie& trie_;
  const TokenTexts& texts_;
  const EndTokens& ends_;
  Automaton::State start_;
  std::unordered_map<Automaton::State, Mask> masks_;
};

class GrammarConstraint : public Constraint {
 public:
  explicit GrammarConstraint(std::shared_ptr<TokenGrammar> grammar)
      : grammar_(std::move(grammar)), state_(grammar_->start()) {}

  const TokenMask& mask() override {
    mask_ = grammar_->mask(state_);
    return *mask_;
  }
  void accept(std::int32_t id) override { state_ = grammar_->step(state_, id); }
  bool done() const override { return grammar_->ends(state_); }

 private:
  std::shared_ptr<TokenGrammar> grammar_;
  Automaton::State state_;
  TokenGrammar::Mask mask_;
};

}  // namespace engines::decoding
