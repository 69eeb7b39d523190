// SPDX-License-Identifier: Apache-2.0
// What an answer is to be held to: a JSON format, or behind "g" a grammar and behind "r" a regular
// expression.
#include "engines/decoding/grammar/response_format.h"

#include "engines/decoding/grammar/automaton.h"
#include "engines/decoding/grammar/gbnf.h"
#include "engines/decoding/grammar/regex_grammar.h"
#include "engines/tensor/error.h"
#include "tests/fuzz/target.h"

namespace {

using namespace engines::decoding;

Grammar grammar_of(const std::string& text) {
  if (text.starts_with('g')) return read_gbnf(text.substr(1));
  if (text.starts_with('r')) return {{regex(text.substr(1), "pattern", character, true)}};
  return response_grammar(text);
}

// The first way on from each state: whatever is not dead leads on, or may end.
void walk(Automaton& automaton) {
  Automaton::State state = automaton.start();
  for (int i = 0; i < 64; ++i) {
    Automaton::State next = Automaton::kDead;
    for (int byte = 0; byte < 256 && next == Automaton::kDead; ++byte)
      next = automaton.step(state, static_cast<unsigned char>(byte));
    roundhouse::fuzz::require(next != Automaton::kDead || automaton.accepts(state),
                              "a state without a way on");
    if (next == Automaton::kDead) return;
    state = next;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    Automaton automaton(grammar_of(std::string(reinterpret_cast<const char*>(data), size)));
    walk(automaton);
  } catch (const engines::Error& error) {
    roundhouse::fuzz::require(error.code() == RH_INVALID_ARGUMENT,
                              "what cannot be held is refused as invalid");
  }
  return 0;
}
