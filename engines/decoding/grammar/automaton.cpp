// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/automaton.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engines/tensor/error.h"

namespace engines::decoding {
namespace {

constexpr std::size_t kMostNodes = 200'000;
constexpr std::size_t kMostStacks = 20'000;  // of one state

[[noreturn]] void refuse_grammar(const char* what) {
  throw Error(RH_INVALID_ARGUMENT, fmt::format("response_format: {}", what));
}

std::uint64_t key_of(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32U | static_cast<std::uint32_t>(b);
}

// Whether some text fits, as far as the rules that are known to have one tell.
bool productive(const Expression& e, const std::vector<bool>& rules) {
  const auto part = [&](const Expr& one) { return productive(*one, rules); };
  switch (e.kind) {
    case Expression::Kind::bytes:
      return e.bytes.any();
    case Expression::Kind::sequence:
      return std::ranges::all_of(e.parts, part);
    case Expression::Kind::choice:
      return std::ranges::any_of(e.parts, part);
    case Expression::Kind::repeat:
      return e.least == 0 || part(e.parts.front());
    case Expression::Kind::rule:
      return rules[e.rule];
  }
  return false;
}

}  // namespace

struct Automaton::Closure {
  std::unordered_set<std::uint64_t> seen;
  std::vector<Stack> stacks;
  bool accepts = false;
};

Automaton::Automaton(const Grammar& grammar) {
  check_productive(grammar);
  stacks_.emplace_back(0, 0);
  const Node back = add({});
  for (std::size_t i = 0; i < grammar.rules.size(); ++i)
    entries_.push_back(0);
  for (std::size_t i = 0; i < grammar.rules.size(); ++i)
    entries_[i] = compile(*grammar.rules[i], back);
  Closure closure;
  close(entries_[0], 0, closure);
  start_ = intern(std::move(closure));
}

void Automaton::check_productive(const Grammar& grammar) const {
  std::vector<bool> known(grammar.rules.size());
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] || !productive(*grammar.rules[i], known)) continue;
      known[i] = more = true;
    }
  }
  // A rule without a text, if it is ever entered, is a way that no text leaves.
  if (!std::ranges::all_of(known, [](bool one) { return one; }))
    refuse_grammar("has a part that no text fits");
}

Automaton::Node Automaton::add(NodeData node) {
  if (nodes_.size() >= kMostNodes) refuse_grammar("is too large");
  nodes_.push_back(std::move(node));
  return static_cast<Node>(nodes_.size() - 1);
}

// The node that begins the expression and goes on with `next`.
Automaton::Node Automaton::compile(const Expression& expression, Node next) {
  NodeData node;
  switch (expression.kind) {
    case Expression::Kind::bytes:
      node.kind = NodeData::Kind::bytes;
      node.set = sets_.size();
      sets_.push_back(expression.bytes);
      node.nexts = {next};
      return add(std::move(node));
    case Expression::Kind::sequence:
      for (auto part = expression.parts.rbegin(); part != expression.parts.rend(); ++part)
        next = compile(**part, next);
      return next;
    case Expression::Kind::choice:
      node.kind = NodeData::Kind::split;
      for (const Expr& part : expression.parts)
        node.nexts.push_back(compile(*part, next));
      return add(std::move(node));
    case Expression::Kind::repeat:
      return compile_repeat(expression, next);
    case Expression::Kind::rule:
      node.kind = NodeData::Kind::call;
      node.rule = expression.rule;
      node.nexts = {next};
      return add(std::move(node));
  }
  return next;
}

Automaton::Node Automaton::compile_repeat(const Expression& expression, Node next) {
  const Expression& part = *expression.parts.front();
  NodeData split;
  split.kind = NodeData::Kind::split;
  Node from = next;
  if (expression.most == kNoLimit) {
    from = add(split);
    const Node body = compile(part, from);
    nodes_[static_cast<std::size_t>(from)].nexts = {body, next};
  } else {
    for (std::uint32_t i = expression.least; i < expression.most; ++i) {
      split.nexts = {compile(part, from), next};
      from = add(split);
    }
  }
  for (std::uint32_t i = 0; i < expression.least; ++i)
    from = compile(part, from);
  return from;
}

Automaton::Stack Automaton::push(Node node, Stack below) {
  const auto [place, fresh] = stack_ids_.emplace(key_of(node, below), static_cast<Stack>(stacks_.size()));
  if (fresh) stacks_.emplace_back(node, below);
  return place->second;
}

// All nodes of bytes that a text may come to from here without another byte.
void Automaton::close(Node first, Stack under, Closure& closure) {
  std::vector<std::pair<Node, Stack>> open{{first, under}};
  while (!open.empty()) {
    const auto [node, below] = open.back();
    open.pop_back();
    if (!closure.seen.insert(key_of(node, below)).second) continue;
    if (closure.seen.size() > kMostStacks)
      refuse_grammar("is too ambiguous, or refers to itself at its left end");
    const NodeData& data = nodes_[static_cast<std::size_t>(node)];
    switch (data.kind) {
      case NodeData::Kind::bytes:
        closure.stacks.push_back(push(node, below));
        break;
      case NodeData::Kind::split:
        for (const Node next : data.nexts)
          open.emplace_back(next, below);
        break;
      case NodeData::Kind::call: {
        // Nothing is left to do behind a call at the end of a rule.
        const Node next = data.nexts.front();
        const bool last = nodes_[static_cast<std::size_t>(next)].kind == NodeData::Kind::back;
        open.emplace_back(entries_[data.rule], last ? below : push(next, below));
        break;
      }
      case NodeData::Kind::back:
        if (below == 0)
          closure.accepts = true;
        else
          open.push_back(stacks_[static_cast<std::size_t>(below)]);
        break;
    }
  }
}

Automaton::State Automaton::intern(Closure&& closure) {
  if (closure.stacks.empty() && !closure.accepts) return kDead;
  std::ranges::sort(closure.stacks);
  std::string key(1, closure.accepts ? 'a' : 'n');
  key.append(reinterpret_cast<const char*>(closure.stacks.data()), closure.stacks.size() * sizeof(Stack));
  const auto [place, fresh] = state_ids_.emplace(std::move(key), static_cast<State>(states_.size()));
  if (fresh) states_.push_back({std::move(closure.stacks), closure.accepts, nullptr});
  return place->second;
}

Automaton::State Automaton::step(State state, unsigned char byte) {
  constexpr State unknown = -2;
  const auto index = static_cast<std::size_t>(state);
  if (!states_[index].steps) {
    states_[index].steps = std::make_unique<std::array<State, 256>>();
    states_[index].steps->fill(unknown);
  }
  if (const State known = (*states_[index].steps)[byte]; known != unknown) return known;
  Closure closure;
  for (const Stack stack : std::vector<Stack>(states_[index].stacks)) {
    const auto [node, below] = stacks_[static_cast<std::size_t>(stack)];
    const NodeData& data = nodes_[static_cast<std::size_t>(node)];
    if (sets_[data.set].test(byte)) close(data.nexts.front(), below, closure);
  }
  const State next = intern(std::move(closure));
  (*states_[index].steps)[byte] = next;
  return next;
}

}  // namespace engines::decoding
