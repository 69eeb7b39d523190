// SPDX-License-Identifier: Apache-2.0
// Parsing expressions, with Jinja's precedence.
#pragma once

#include <string_view>
#include <vector>

#include "engines/tokenizer/jinja/ast.h"
#include "engines/tokenizer/jinja/lexer.h"

namespace engines::jinja {

// Reads tokens from the current one on. Every error is MODEL_INVALID with the line and what was found.
class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  ExprPtr expression();               // without commas outside of brackets
  ExprPtr tuple();                    // one expression, or several with commas between them
  ExprPtr tuple_without_condition();  // the same, but an `if` ends it
  ExprPtr target();        // what `for` and `set` assign to: names, attributes of names, tuples of them
  ExprPtr target_name();   // a name alone
  ExprPtr filter_chain();  // name | name(...): filters whose subject is a block
  void arguments(Expr& call);

  const Token& peek() const { return tokens_[at_]; }
  Token next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool skip_symbol(std::string_view symbol);
  bool skip_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  std::string expect_name();
  void expect(Token::Kind kind, std::string_view shown);
  [[noreturn]] void unexpected(std::string_view wanted) const;

  // Counts how deep the parser has called itself: hostile nesting must not use up the stack.
  class Level {
   public:
    explicit Level(ExpressionParser& parser);
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    ExpressionParser& parser_;
  };

 private:
  ExprPtr tuple_of(ExprPtr (ExpressionParser::*part)());
  ExprPtr make(Expr::Kind kind, std::string_view text = {}) const;
  void add(Expr& parent, ExprPtr child) const;
  ExprPtr joined(Expr::Kind kind, std::string_view separator, bool is_name,
                 ExprPtr (ExpressionParser::*part)());
  ExprPtr binary_chain(std::initializer_list<std::string_view> operators,
                       ExprPtr (ExpressionParser::*part)());
  ExprPtr unary_of(std::string_view text, ExprPtr operand) const;

  ExprPtr any();
  ExprPtr all();
  ExprPtr negation();
  ExprPtr comparison();
  std::string comparison_operator();
  ExprPtr sum();
  ExprPtr concat();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary() { return unary(true); }
  ExprPtr unary(bool with_filters);
  ExprPtr primary();
  ExprPtr number();
  ExprPtr name_or_constant();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr parenthesised();
  ExprPtr postfix(ExprPtr subject);
  ExprPtr attribute(ExprPtr object);
  ExprPtr subscript(ExprPtr object);
  ExprPtr filters_and_tests(ExprPtr subject);
  ExprPtr filter(ExprPtr subject);
  ExprPtr test(ExprPtr subject);
  std::string dotted_name();

  std::vector<Token> tokens_;  // the last one is `end`
  std::size_t at_ = 0;
  int level_ = 0;
};

}  // namespace engines::jinja
