// SPDX-License-Identifier: Apache-2.0
// Expressions: their values, and calls.
#include "engines/tokenizer/jinja/evaluator.h"
#include "engines/tokenizer/jinja/filters.h"
#include "engines/tokenizer/jinja/globals.h"
#include "engines/tokenizer/jinja/methods.h"
#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {

Value Evaluator::evaluate(const Expr& expr, Scope& scope) {
  const Level level(*this);
  runtime_.charge(1);
  runtime_.line = expr.line;
  return evaluate_kind(expr, scope);
}

Value Evaluator::evaluate_part(const ExprPtr& part, Scope& scope) {
  return part == nullptr ? Value(None{}) : evaluate(*part, scope);
}

Value Evaluator::evaluate_kind(const Expr& expr, Scope& scope) {
  const auto child = [&](std::size_t i) { return evaluate(*expr.children[i], scope); };
  switch (expr.kind) {
    case Expr::Kind::constant:
      return expr.constant;
    case Expr::Kind::name:
      return name(expr, scope);
    case Expr::Kind::list:
    case Expr::Kind::tuple:
      return sequence(expr, scope);
    case Expr::Kind::dict:
      return dict(expr, scope);
    case Expr::Kind::attribute:
      return attribute(runtime_, child(0), expr.text);
    case Expr::Kind::subscript: {
      const Value object = child(0);
      return subscript(runtime_, object, child(1));
    }
    case Expr::Kind::slice: {
      const Value object = child(0);
      const Value start = evaluate_part(expr.children[1], scope);
      const Value stop = evaluate_part(expr.children[2], scope);
      return slice(runtime_, object, start, stop, evaluate_part(expr.children[3], scope));
    }
    case Expr::Kind::call:
      return call(expr, scope, nullptr);
    case Expr::Kind::filter:
      return filtered(expr, nullptr, scope);
    case Expr::Kind::test:
      return tested(expr, scope);
    case Expr::Kind::unary:
      return unary(runtime_, expr.text, child(0));
    case Expr::Kind::binary: {
      const Value left = child(0);
      return binary(runtime_, expr.text, left, child(1));
    }
    case Expr::Kind::compare:
      return comparison(expr, scope);
    case Expr::Kind::concat:
      return concatenation(expr, scope);
    case Expr::Kind::all:
    case Expr::Kind::any:
      return any_or_all(expr, scope);
    case Expr::Kind::conditional:
      if (child(0).truthy()) return child(1);
      if (expr.children[2] == nullptr) return Undefined{"the value of an 'if' without 'else'"};
      return child(2);
  }
  return {};
}

Value Evaluator::name(const Expr& expr, Scope& scope) {
  for (Scope* at = &scope; at != nullptr; at = at->parent) {
    if (const auto place = at->names.find(expr.text); place != at->names.end()) return place->second;
    if (at->caller != nullptr && expr.text == "caller")
      return std::make_shared<const Callable>(Callable{expr.text, at->caller, Value()});
  }
  return find_global(expr.text);
}

Value Evaluator::sequence(const Expr& expr, Scope& scope) {
  std::vector<Value> items;
  for (const auto& element : expr.children)
    items.push_back(evaluate(*element, scope));
  return runtime_.list(std::move(items), expr.kind == Expr::Kind::tuple);
}

Value Evaluator::dict(const Expr& expr, Scope& scope) {
  std::vector<std::pair<std::string, Value>> members;
  for (std::size_t i = 0; i < expr.children.size(); i += 2) {
    const Value key = evaluate(*expr.children[i], scope);
    if (key.string() == nullptr)
      runtime_.fail("a key that is " + key.type_name() + " is not supported, expected str");
    members.emplace_back(*key.string(), evaluate(*expr.children[i + 1], scope));
  }
  return runtime_.dict(std::move(members));
}

// a < b < c is true when each pair is; an operand is evaluated once, and not after the first pair that is
// not.
Value Evaluator::comparison(const Expr& expr, Scope& scope) {
  Value left = evaluate(*expr.children[0], scope);
  for (std::size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = evaluate(*expr.children[i + 1], scope);
    if (!compare(runtime_, expr.operators[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::concatenation(const Expr& expr, Scope& scope) {
  std::string text;
  for (const auto& part : expr.children) {
    text += to_text(runtime_, evaluate(*part, scope));
    if (text.size() > longest_text) break;  // refused below
  }
  return runtime_.text(std::move(text));
}

// The first operand that decides, as it is: `a or b` is a or b, not true or false.
Value Evaluator::any_or_all(const Expr& expr, Scope& scope) {
  const bool deciding = expr.kind == Expr::Kind::any;
  Value value;
  for (const auto& operand : expr.children) {
    value = evaluate(*operand, scope);
    if (value.truthy() == deciding) break;
  }
  return value;
}

Arguments Evaluator::arguments(const Expr& call, const std::string& callee, Scope& scope) {
  std::vector<Value> positional;
  for (std::size_t i = 1; i < call.children.size(); ++i)
    positional.push_back(evaluate(*call.children[i], scope));
  Arguments::Named named;
  for (const auto& [name, value] : call.named)
    named.emplace_back(name, evaluate(*value, scope));
  return {runtime_, callee, std::move(positional), std::move(named)};
}

Value Evaluator::filtered(const Expr& expr, const Value* block, Scope& scope) {
  const Expr* const inner = expr.children[0].get();
  // In a chain over a block the innermost filter has no subject of its own.
  const bool chain = block != nullptr && inner != nullptr;
  const Value subject = inner == nullptr ? *block
                        : chain          ? filtered(*inner, block, scope)
                                         : evaluate(*inner, scope);
  Arguments args = arguments(expr, expr.text, scope);
  runtime_.line = expr.line;
  return call_filter(expr.text, subject, args);
}

Value Evaluator::tested(const Expr& expr, Scope& scope) {
  const Value subject = evaluate(*expr.children[0], scope);
  Arguments args = arguments(expr, expr.text, scope);
  runtime_.line = expr.line;
  return call_test(expr.text, subject, args);
}

Value Evaluator::call(const Expr& expr, Scope& scope, const Macro* block) {
  const Value callee = evaluate(*expr.children[0], scope);
  if (callee.is_undefined())
    runtime_.fail(in_quotes(callee.undefined()->name) + " is undefined, so it cannot be called");
  const Callable* const function = callee.callable();
  if (function == nullptr) runtime_.fail("a value that is " + callee.type_name() + " cannot be called");
  Arguments args = arguments(expr, function->name, scope);
  runtime_.line = expr.line;
  if (function->macro != nullptr) return call_macro(*function->macro, std::move(args), scope, block);
  if (block != nullptr) runtime_.fail("'call' of " + in_quotes(function->name) + ", expected a macro");
  if (!function->self.is_undefined()) return call_method(function->self, function->name, args);
  return call_global(function->name, args);
}

// A macro sees the variables of the template and its arguments; caller() sees those where its block stands.
Value Evaluator::call_macro(const Macro& macro, Arguments arguments, Scope& scope, const Macro* block) {
  const Level level(*this);
  Scope* parent = &root_;
  if (macro.is_block) {
    Scope* at = &scope;
    while (at != nullptr && at->caller != &macro)
      at = at->parent;
    if (at == nullptr) runtime_.fail("'caller' is called outside of its macro");
    parent = at->caller_scope;
  }
  Scope inner(parent);
  inner.caller = block;
  inner.caller_scope = block == nullptr ? nullptr : &scope;
  for (const auto& parameter : macro.parameters) {
    auto value = arguments.take_if(parameter.name);
    if (!value && parameter.fallback != nullptr) value = evaluate(*parameter.fallback, inner);
    inner.names.insert_or_assign(parameter.name,
                                 value ? *std::move(value) : Value(Undefined{parameter.name}));
  }
  arguments.finish();
  return runtime_.text(captured(macro.body, inner));
}

}  // namespace engines::jinja
