// SPDX-License-Identifier: Apache-2.0
// Recursive descent, one function for each level of precedence.
#include "engines/tokenizer/jinja/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

constexpr int deepest_tree = 200;
constexpr int deepest_level = 100;

std::string shown(const Token& token) {
  switch (token.kind) {
    case Token::Kind::end:
      return "the end of the template";
    case Token::Kind::data:
      return "text";
    case Token::Kind::variable_begin:
      return "'{{'";
    case Token::Kind::variable_end:
      return "'}}'";
    case Token::Kind::block_begin:
      return "'{%'";
    case Token::Kind::block_end:
      return "'%}'";
    default:
      return in_quotes(token.text);
  }
}

}  // namespace

ExpressionParser::Level::Level(ExpressionParser& parser) : parser_(parser) {
  if (parser_.level_ >= deepest_level)
    fail_at(parser_.peek().line, fmt::format("is nested deeper than {} levels", deepest_level));
  ++parser_.level_;
}

void ExpressionParser::unexpected(std::string_view wanted) const {
  fail_at(peek().line, "found " + shown(peek()) + ", expected " + std::string(wanted));
}

bool ExpressionParser::skip_symbol(std::string_view symbol) {
  if (!peek().is_symbol(symbol)) return false;
  next();
  return true;
}

bool ExpressionParser::skip_name(std::string_view name) {
  if (!peek().is_name(name)) return false;
  next();
  return true;
}

void ExpressionParser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) unexpected("'" + std::string(symbol) + "'");
}

std::string ExpressionParser::expect_name() {
  if (peek().kind != Token::Kind::name) unexpected("a name");
  return next().text;
}

void ExpressionParser::expect(Token::Kind kind, std::string_view wanted) {
  if (peek().kind != kind) unexpected(wanted);
  next();
}

ExprPtr ExpressionParser::make(Expr::Kind kind, std::string_view text) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->line = peek().line;
  expr->text = text;
  return expr;
}

void ExpressionParser::add(Expr& parent, ExprPtr child) const {
  if (child != nullptr) {
    parent.depth = std::max(parent.depth, child->depth + 1);
    if (parent.depth > deepest_tree)
      fail_at(parent.line, fmt::format("an expression is nested deeper than {} levels", deepest_tree));
  }
  parent.children.push_back(std::move(child));
}

ExprPtr ExpressionParser::expression() {
  const Level level(*this);
  auto value = any();
  while (peek().is_name("if")) {
    auto conditional = make(Expr::Kind::conditional);
    next();
    add(*conditional, any());
    add(*conditional, std::move(value));
    add(*conditional, skip_name("else") ? expression() : nullptr);
    value = std::move(conditional);
  }
  return value;
}

ExprPtr ExpressionParser::tuple_of(ExprPtr (ExpressionParser::*part)()) {
  auto first = (this->*part)();
  if (!peek().is_symbol(",")) return first;
  auto elements = make(Expr::Kind::tuple);
  add(*elements, std::move(first));
  while (skip_symbol(",")) {
    const bool ends = peek().kind == Token::Kind::block_end || peek().kind == Token::Kind::variable_end ||
                      peek().is_symbol(")");
    if (ends) break;
    add(*elements, (this->*part)());
  }
  return elements;
}

ExprPtr ExpressionParser::tuple() {
  return tuple_of(&ExpressionParser::expression);
}
ExprPtr ExpressionParser::tuple_without_condition() {
  return tuple_of(&ExpressionParser::any);
}

ExprPtr ExpressionParser::target_name() {
  auto name = make(Expr::Kind::name);
  name->text = expect_name();
  return name;
}

ExprPtr ExpressionParser::target() {
  const Level level(*this);
  const auto one = [this]() -> ExprPtr {
    if (skip_symbol("(")) {
      auto inner = target();
      expect_symbol(")");
      return inner;
    }
    auto name = target_name();
    if (!skip_symbol(".")) return name;
    auto member = make(Expr::Kind::attribute);
    member->text = expect_name();
    add(*member, std::move(name));
    return member;
  };
  auto first = one();
  if (!peek().is_symbol(",")) return first;
  auto names = make(Expr::Kind::tuple);
  add(*names, std::move(first));
  while (skip_symbol(",")) {
    if (peek().is_name("in") || peek().is_symbol("=") || peek().is_symbol(")")) break;
    add(*names, one());
  }
  return names;
}

// part (separator part)*, as one node.
ExprPtr ExpressionParser::joined(Expr::Kind kind, std::string_view separator, bool is_name,
                                 ExprPtr (ExpressionParser::*part)()) {
  auto first = (this->*part)();
  const auto skip = [&] { return is_name ? skip_name(separator) : skip_symbol(separator); };
  if (!skip()) return first;
  auto node = make(kind);
  add(*node, std::move(first));
  do {
    add(*node, (this->*part)());
  } while (skip());
  return node;
}

ExprPtr ExpressionParser::any() {
  return joined(Expr::Kind::any, "or", true, &ExpressionParser::all);
}
ExprPtr ExpressionParser::all() {
  return joined(Expr::Kind::all, "and", true, &ExpressionParser::negation);
}
ExprPtr ExpressionParser::concat() {
  return joined(Expr::Kind::concat, "~", false, &ExpressionParser::product);
}

// Left to right: each operation is the left operand of the next.
ExprPtr ExpressionParser::binary_chain(std::initializer_list<std::string_view> operators,
                                       ExprPtr (ExpressionParser::*part)()) {
  auto left = (this->*part)();
  while (peek().kind == Token::Kind::symbol &&
         std::find(operators.begin(), operators.end(), peek().text) != operators.end()) {
    auto node = make(Expr::Kind::binary, peek().text);
    next();
    add(*node, std::move(left));
    add(*node, (this->*part)());
    left = std::move(node);
  }
  return left;
}

ExprPtr ExpressionParser::sum() {
  return binary_chain({"+", "-"}, &ExpressionParser::concat);
}
ExprPtr ExpressionParser::product() {
  return binary_chain({"*", "/", "//", "%"}, &ExpressionParser::power);
}
ExprPtr ExpressionParser::power() {
  return binary_chain({"**"}, &ExpressionParser::unary);
}

ExprPtr ExpressionParser::unary_of(std::string_view text, ExprPtr operand) const {
  auto node = make(Expr::Kind::unary, text);
  add(*node, std::move(operand));
  return node;
}

ExprPtr ExpressionParser::negation() {
  const Level level(*this);
  if (skip_name("not")) return unary_of("not", negation());
  return comparison();
}

std::string ExpressionParser::comparison_operator() {
  for (const std::string_view symbol : {"==", "!=", "<", "<=", ">", ">="}) {
    if (skip_symbol(symbol)) return std::string(symbol);
  }
  if (skip_name("in")) return "in";
  const bool not_in = peek().is_name("not") && at_ + 1 < tokens_.size() && tokens_[at_ + 1].is_name("in");
  if (!not_in) return "";
  next();
  next();
  return "not in";
}

ExprPtr ExpressionParser::comparison() {
  auto first = sum();
  auto symbol = comparison_operator();
  if (symbol.empty()) return first;
  auto node = make(Expr::Kind::compare);
  add(*node, std::move(first));
  for (; !symbol.empty(); symbol = comparison_operator()) {
    node->operators.push_back(symbol);
    add(*node, sum());
  }
  return node;
}

ExprPtr ExpressionParser::unary(bool with_filters) {
  const Level level(*this);
  ExprPtr node;
  if (skip_symbol("-"))
    node = unary_of("-", unary(false));
  else if (skip_symbol("+"))
    node = unary_of("+", unary(false));
  else
    node = primary();
  node = postfix(std::move(node));
  return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
}

}  // namespace engines::jinja
