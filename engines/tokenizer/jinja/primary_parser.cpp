// SPDX-License-Identifier: Apache-2.0
// The innermost parts of expressions: literals, names, and what follows them (members, calls, filters,
// tests).
#include <algorithm>
#include <charconv>
#include <utility>

#include "engines/tokenizer/jinja/expression_parser.h"
#include "engines/tokenizer/jinja/runtime.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {

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
