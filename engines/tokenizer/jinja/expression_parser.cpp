// SPDX-License-Identifier: Apache-2.0
// Recursive descent, one function for each level of precedence.
#include "engines/tokenizer/jinja/expression_parser.h"

#include <algorithm>
#include <charconv>
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
    fail_at(parser_.peek().line, "is nested deeper than " + std::to_string(deepest_level) + " levels");
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
      fail_at(parent.line, "an expression is nested deeper than " + std::to_string(deepest_tree) + " levels");
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

ExprPtr ExpressionParser::primary() {
  switch (peek().kind) {
    case Token::Kind::name:
      return name_or_constant();
    case Token::Kind::string: {
      auto node = make(Expr::Kind::constant);
      std::string text;
      while (peek().kind == Token::Kind::string)
        text += next().text;
      node->constant = Value(std::move(text));
      return node;
    }
    case Token::Kind::integer:
    case Token::Kind::real:
      return number();
    default:
      break;
  }
  if (peek().is_symbol("(")) return parenthesised();
  if (peek().is_symbol("[")) return list();
  if (peek().is_symbol("{")) return dict();
  unexpected("an expression");
}

ExprPtr ExpressionParser::name_or_constant() {
  auto node = make(Expr::Kind::constant);
  const std::string name = expect_name();
  if (name == "true" || name == "True") {
    node->constant = Value(true);
  } else if (name == "false" || name == "False") {
    node->constant = Value(false);
  } else if (name == "none" || name == "None") {
    node->constant = Value(None{});
  } else {
    node->kind = Expr::Kind::name;
    node->text = name;
  }
  return node;
}

ExprPtr ExpressionParser::number() {
  auto node = make(Expr::Kind::constant);
  const Token token = next();
  const char* const end = token.text.data() + token.text.size();
  if (token.kind == Token::Kind::real) {
    double value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc())
      fail_at(token.line, "the number " + in_quotes(token.text) + " is out of range");
    node->constant = Value(value);
  } else {
    std::int64_t value = 0;
    if (std::from_chars(token.text.data(), end, value).ec != std::errc())
      fail_at(token.line, "the number " + in_quotes(token.text) + " is out of range");
    node->constant = Value(value);
  }
  return node;
}

ExprPtr ExpressionParser::list() {
  auto node = make(Expr::Kind::list);
  expect_symbol("[");
  while (!skip_symbol("]")) {
    add(*node, expression());
    if (!peek().is_symbol("]")) expect_symbol(",");
  }
  return node;
}

ExprPtr ExpressionParser::dict() {
  auto node = make(Expr::Kind::dict);
  expect_symbol("{");
  while (!skip_symbol("}")) {
    add(*node, expression());
    expect_symbol(":");
    add(*node, expression());
    if (!peek().is_symbol("}")) expect_symbol(",");
  }
  return node;
}

ExprPtr ExpressionParser::parenthesised() {
  expect_symbol("(");
  if (skip_symbol(")")) return make(Expr::Kind::tuple);
  auto node = tuple();
  expect_symbol(")");
  return node;
}

ExprPtr ExpressionParser::postfix(ExprPtr subject) {
  while (true) {
    if (peek().is_symbol(".")) {
      subject = attribute(std::move(subject));
    } else if (peek().is_symbol("[")) {
      subject = subscript(std::move(subject));
    } else if (peek().is_symbol("(")) {
      auto call = make(Expr::Kind::call);
      add(*call, std::move(subject));
      arguments(*call);
      subject = std::move(call);
    } else {
      return subject;
    }
  }
}

ExprPtr ExpressionParser::attribute(ExprPtr object) {
  expect_symbol(".");
  if (peek().kind == Token::Kind::integer) {
    auto node = make(Expr::Kind::subscript);
    add(*node, std::move(object));
    add(*node, number());
    return node;
  }
  auto node = make(Expr::Kind::attribute);
  node->text = expect_name();
  add(*node, std::move(object));
  return node;
}

ExprPtr ExpressionParser::subscript(ExprPtr object) {
  auto node = make(Expr::Kind::subscript);
  add(*node, std::move(object));
  expect_symbol("[");
  if (!peek().is_symbol(":")) add(*node, expression());
  if (!peek().is_symbol(":")) {
    expect_symbol("]");
    return node;
  }
  node->kind = Expr::Kind::slice;
  if (node->children.size() == 1) add(*node, nullptr);
  for (int part = 0; part < 2; ++part) {
    const bool given = skip_symbol(":") && !peek().is_symbol(":") && !peek().is_symbol("]");
    add(*node, given ? expression() : nullptr);
  }
  expect_symbol("]");
  return node;
}

void ExpressionParser::arguments(Expr& call) {
  expect_symbol("(");
  while (!skip_symbol(")")) {
    const bool named = peek().kind == Token::Kind::name && tokens_[at_ + 1].is_symbol("=");
    if (named) {
      std::string name = expect_name();
      expect_symbol("=");
      auto value = expression();
      call.depth = std::max(call.depth, value->depth + 1);
      call.named.emplace_back(std::move(name), std::move(value));
    } else {
      if (!call.named.empty()) unexpected("a named argument");
      add(call, expression());
    }
    if (!peek().is_symbol(")")) expect_symbol(",");
  }
}

ExprPtr ExpressionParser::filters_and_tests(ExprPtr subject) {
  while (true) {
    if (skip_symbol("|")) {
      subject = filter(std::move(subject));
    } else if (skip_name("is")) {
      subject = test(std::move(subject));
    } else if (peek().is_symbol("(")) {
      auto call = make(Expr::Kind::call);
      add(*call, std::move(subject));
      arguments(*call);
      subject = std::move(call);
    } else {
      return subject;
    }
  }
}

std::string ExpressionParser::dotted_name() {
  std::string name = expect_name();
  while (skip_symbol("."))
    name += "." + expect_name();
  return name;
}

ExprPtr ExpressionParser::filter(ExprPtr subject) {
  auto node = make(Expr::Kind::filter);
  node->text = dotted_name();
  add(*node, std::move(subject));
  if (peek().is_symbol("(")) arguments(*node);
  return node;
}

ExprPtr ExpressionParser::filter_chain() {
  auto chain = filter(nullptr);
  while (skip_symbol("|"))
    chain = filter(std::move(chain));
  return chain;
}

ExprPtr ExpressionParser::test(ExprPtr subject) {
  const bool negated = skip_name("not");
  auto node = make(Expr::Kind::test);
  node->text = dotted_name();
  add(*node, std::move(subject));
  const Token& token = peek();
  const bool word_goes_on = token.is_name("else") || token.is_name("or") || token.is_name("and") ||
                            token.is_name("if") || token.is_name("is") || token.is_name("in") ||
                            token.is_name("not");
  const bool bare_argument = (token.kind == Token::Kind::name && !word_goes_on) ||
                             token.kind == Token::Kind::string || token.kind == Token::Kind::integer ||
                             token.kind == Token::Kind::real || token.is_symbol("[") || token.is_symbol("{");
  if (token.is_symbol("("))
    arguments(*node);
  else if (bare_argument)
    add(*node, postfix(primary()));
  return negated ? unary_of("not", std::move(node)) : std::move(node);
}

}  // namespace engines::jinja
