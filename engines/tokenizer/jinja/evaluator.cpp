// SPDX-License-Identifier: Apache-2.0
// Statements: what a template writes, and in which scope names live.
#include "engines/tokenizer/jinja/evaluator.h"

#include <fmt/format.h>

#include <algorithm>

#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {

std::string Evaluator::render(const Body& body, std::vector<std::pair<std::string, Value>> variables) {
  for (auto& [name, value] : variables)
    root_.names.insert_or_assign(std::move(name), std::move(value));
  return captured(body, root_);
}

void Evaluator::write(std::string_view text) {
  runtime_.charge_bytes(text.size());
  if (out_->size() + text.size() > longest_text)
    runtime_.fail(fmt::format("writes more than {} bytes", longest_text));
  out_->append(text);
}

std::string Evaluator::captured(const Body& body, Scope& scope) {
  std::string text;
  std::string* const outer = std::exchange(out_, &text);
  run(body, scope);
  out_ = outer;  // an error ends the rendering, so it need not be put back then
  return text;
}

Evaluator::Flow Evaluator::run(const Body& body, Scope& scope) {
  const Level level(*this);
  for (const auto& stmt : body) {
    if (const Flow flow = run(*stmt, scope); flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Evaluator::Flow Evaluator::run(const Stmt& stmt, Scope& scope) {
  runtime_.charge(1);
  runtime_.line = stmt.line;
  switch (stmt.kind) {
    case Stmt::Kind::data:
      write(stmt.text);
      break;
    case Stmt::Kind::output:
      write(to_text(runtime_, evaluate(*stmt.value, scope)));
      break;
    case Stmt::Kind::choice:
      return run_choice(stmt, scope);
    case Stmt::Kind::loop:
      return run_loop(stmt, scope);
    case Stmt::Kind::assign:
      assign(*stmt.target, evaluate(*stmt.value, scope), scope);
      break;
    case Stmt::Kind::assign_block:
      run_assign_block(stmt, scope);
      break;
    case Stmt::Kind::with:
      return run_with(stmt, scope);
    case Stmt::Kind::filter: {
      Scope inner(&scope);
      const Value block = runtime_.text(captured(stmt.body, inner));
      write(to_text(runtime_, filtered(*stmt.value, &block, scope)));
      break;
    }
    case Stmt::Kind::macro:
      scope.names.insert_or_assign(
          stmt.macro->name,
          Value(std::make_shared<const Callable>(Callable{stmt.macro->name, stmt.macro.get(), Value()})));
      break;
    case Stmt::Kind::call:
      write(to_text(runtime_, call(*stmt.value, scope, stmt.macro.get())));
      break;
    case Stmt::Kind::group:
      return run(stmt.body, scope);
    case Stmt::Kind::leave_loop:
      return Flow::leave_loop;
    case Stmt::Kind::next_round:
      return Flow::next_round;
  }
  return Flow::normal;
}

Evaluator::Flow Evaluator::run_choice(const Stmt& stmt, Scope& scope) {
  for (const auto& branch : stmt.branches) {
    if (branch.condition == nullptr || evaluate(*branch.condition, scope).truthy())
      return run(branch.body, scope);
  }
  return Flow::normal;
}

std::vector<Value> Evaluator::loop_items(const Stmt& stmt, Scope& scope) {
  auto items = elements(runtime_, evaluate(*stmt.value, scope));
  if (stmt.condition == nullptr) return items;
  std::vector<Value> kept;
  for (auto& item : items) {
    Scope inner(&scope);
    assign(*stmt.target, item, inner);
    if (evaluate(*stmt.condition, inner).truthy()) kept.push_back(std::move(item));
  }
  return kept;
}

// The depth is that of recursive loops, which there are none of.
Value Evaluator::loop_object(const std::vector<Value>& items, std::size_t i) {
  const auto index = static_cast<std::int64_t>(i);
  const auto length = static_cast<std::int64_t>(items.size());
  auto loop = std::make_shared<Object>();
  loop->kind = Object::Kind::loop;
  loop->members = {{"index", index + 1},
                   {"index0", index},
                   {"first", i == 0},
                   {"last", i + 1 == items.size()},
                   {"length", length},
                   {"revindex", length - index},
                   {"revindex0", length - index - 1},
                   {"depth", 1},
                   {"depth0", 0}};
  if (i > 0) loop->members.emplace_back("previtem", items[i - 1]);
  if (i + 1 < items.size()) loop->members.emplace_back("nextitem", items[i + 1]);
  return loop;
}

Evaluator::Flow Evaluator::run_loop(const Stmt& stmt, Scope& scope) {
  const auto items = loop_items(stmt, scope);
  bool completed = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    runtime_.charge(1);
    // Each round has its own scope: what it sets is gone in the next one.
    Scope inner(&scope);
    inner.names.emplace("loop", loop_object(items, i));
    assign(*stmt.target, items[i], inner);
    const Flow flow = run(stmt.body, inner);
    completed = completed || flow == Flow::normal;
    if (flow == Flow::leave_loop) break;
  }
  if (completed) return Flow::normal;
  // As in Jinja, `else` is for loops of which no round came to its end, not only for those without rounds.
  Scope inner(&scope);
  return run(stmt.otherwise, inner);
}

void Evaluator::run_assign_block(const Stmt& stmt, Scope& scope) {
  Scope inner(&scope);
  Value text = runtime_.text(captured(stmt.body, inner));
  if (stmt.value != nullptr) text = filtered(*stmt.value, &text, scope);
  assign(*stmt.target, std::move(text), scope);
}

Evaluator::Flow Evaluator::run_with(const Stmt& stmt, Scope& scope) {
  Scope inner(&scope);
  for (const auto& [target, value] : stmt.assignments)
    assign(*target, evaluate(*value, scope), inner);
  return run(stmt.body, inner);
}

void Evaluator::assign(const Expr& target, Value value, Scope& scope) {
  if (target.kind == Expr::Kind::name) {
    scope.names.insert_or_assign(target.text, std::move(value));
    return;
  }
  if (target.kind == Expr::Kind::attribute) {
    const Value object = evaluate(*target.children.front(), scope);
    if (object.object() == nullptr || object.object()->kind != Object::Kind::name_space)
      runtime_.fail("'set' of an attribute of " + object.type_name() + ", expected a namespace");
    runtime_.charge(object.object()->members.size() / 16);
    object.object()->set(target.text, std::move(value));
    return;
  }
  const auto parts = elements(runtime_, value);
  if (parts.size() != target.children.size())
    runtime_.fail(fmt::format("there are {} values for {} names", parts.size(), target.children.size()));
  for (std::size_t i = 0; i < parts.size(); ++i)
    assign(*target.children[i], parts[i], scope);
}

}  // namespace engines::jinja
