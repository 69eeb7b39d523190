// SPDX-License-Identifier: Apache-2.0
// A grammar as a pushdown automaton over bytes, whose states are found as they are needed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "engines/decoding/grammar/expression.h"

namespace engines::decoding {

// States are numbers from 0; equal numbers have equal futures. One thread at a time.
class Automaton {
 public:
  using State = std::int32_t;
  static constexpr State kDead = -1;

  // INVALID_ARGUMENT for a grammar that is too large, refers to itself at its left end, or fits no text.
  explicit Automaton(const Grammar& grammar);

  State start() const { return start_; }
  // kDead where no text goes on so.
  State step(State state, unsigned char byte);
  // Whether the text may end here.
  bool accepts(State state) const { return states_[static_cast<std::size_t>(state)].accepts; }
  // Whether it must.
  bool ends(State state) const { return states_[static_cast<std::size_t>(state)].stacks.empty(); }

 private:
  using Node = std::int32_t;
  using Stack = std::int32_t;  // 0: empty
  struct NodeData {
    enum class Kind { bytes, split, call, back } kind = Kind::back;
    std::size_t set = 0;      // of bytes
    std::vector<Node> nexts;  // one but for split
    std::size_t rule = 0;
  };
  struct StateData {
    std::vector<Stack> stacks;  // tops are nodes of bytes; sorted
    bool accepts = false;
    std::unique_ptr<std::array<State, 256>> steps;
  };
  struct Closure;

  Node add(NodeData node);
  Node compile(const Expression& expression, Node next);
  Node compile_repeat(const Expression& expression, Node next);
  void check_productive(const Grammar& grammar) const;
  Stack push(Node node, Stack below);
  void close(Node node, Stack below, Closure& closure);
  State intern(Closure&& closure);

  std::vector<NodeData> nodes_;
  std::vector<ByteSet> sets_;
  std::vector<Node> entries_;  // of the rules
  std::vector<std::pair<Node, Stack>> stacks_;
  std::unordered_map<std::uint64_t, Stack> stack_ids_;
  std::vector<StateData> states_;
  std::unordered_map<std::string, State> state_ids_;
  State start_ = 0;
};

}  // namespace engines::decoding
