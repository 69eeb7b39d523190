// SPDX-License-Identifier: Apache-2.0
// Parsing statements.
#include "engines/tokenizer/jinja/parser.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "engines/tokenizer/jinja/expression_parser.h"
#include "engines/tokenizer/jinja/runtime.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

using Kind = Token::Kind;
using StmtPtr = std::unique_ptr<Stmt>;

class StatementParser {
 public:
  explicit StatementParser(std::string_view source) : tokens_(tokenize(source)) {}

  Body run() {
    Body body = body_until({});
    if (tokens_.peek().kind != Kind::end) tokens_.unexpected("a statement");
    return body;
  }

 private:
  // Statements up to the tag of one of these names, whose "{%" is passed, too; with no names, up to the end.
  Body body_until(std::initializer_list<std::string_view> ends) {
    const ExpressionParser::Level level(tokens_);
    Body body;
    while (tokens_.peek().kind != Kind::end) {
      const Token token = tokens_.next();
      if (token.kind == Kind::data) {
        body.push_back(make(Stmt::Kind::data, token.line));
        body.back()->text = token.text;
      } else if (token.kind == Kind::variable_begin) {
        body.push_back(make(Stmt::Kind::output, token.line));
        body.back()->value = tokens_.tuple();
        tokens_.expect(Kind::variable_end, "'}}'");
      } else {
        const bool is_end = std::any_of(ends.begin(), ends.end(),
                                        [&](std::string_view end) { return tokens_.peek().is_name(end); });
        if (is_end) return body;
        body.push_back(statement());
      }
    }
    if (ends.size() > 0) tokens_.unexpected("'" + std::string(*(ends.end() - 1)) + "'");
    return body;
  }

  static StmtPtr make(Stmt::Kind kind, int line) {
    auto stmt = std::make_unique<Stmt>();
    stmt->kind = kind;
    stmt->line = line;
    return stmt;
  }

  void block_end() { tokens_.expect(Kind::block_end, "'%}'"); }

  // The body of a statement and its end tag.
  Body rest_of(std::string_view end) {
    block_end();
    Body body = body_until({end});
    tokens_.next();
    block_end();
    return body;
  }

  StmtPtr statement() {
    struct Known {
      std::string_view name;
      StmtPtr (StatementParser::*parse)(int line);
    };
    static constexpr std::array<Known, 10> known{{{"if", &StatementParser::choice},
                                                  {"for", &StatementParser::loop},
                                                  {"set", &StatementParser::assign},
                                                  {"macro", &StatementParser::macro},
                                                  {"call", &StatementParser::call},
                                                  {"filter", &StatementParser::filter},
                                                  {"with", &StatementParser::with},
                                                  {"generation", &StatementParser::group},
                                                  {"break", &StatementParser::leave_loop},
                                                  {"continue", &StatementParser::next_round}}};
    const int line = tokens_.peek().line;
    for (const auto& [name, parse] : known) {
      if (tokens_.skip_name(name)) return (this->*parse)(line);
    }
    if (tokens_.peek().kind == Kind::name)
      fail_at(line, "the statement " + in_quotes(tokens_.peek().text) + " is not supported here");
    tokens_.unexpected("a statement");
  }

  StmtPtr choice(int line) {
    auto stmt = make(Stmt::Kind::choice, line);
    bool is_else = false;
    while (true) {
      Branch& branch = stmt->branches.emplace_back();
      if (!is_else) branch.condition = tokens_.tuple_without_condition();
      block_end();
      branch.body = is_else ? body_until({"endif"}) : body_until({"elif", "else", "endif"});
      if (tokens_.skip_name("endif")) break;
      is_else = !tokens_.skip_name("elif");
      if (is_else) tokens_.next();
    }
    block_end();
    return stmt;
  }

  StmtPtr loop(int line) {
    auto stmt = make(Stmt::Kind::loop, line);
    stmt->target = tokens_.target();
    if (!tokens_.skip_name("in")) tokens_.unexpected("'in'");
    // An `if` after it filters the loop, so it is no conditional expression.
    stmt->value = tokens_.tuple_without_condition();
    if (tokens_.skip_name("if")) stmt->condition = tokens_.expression();
    if (tokens_.peek().is_name("recursive")) fail_at(line, "'for ... recursive' is not supported");
    block_end();
    ++loops_;
    stmt->body = body_until({"else", "endfor"});
    --loops_;
    if (tokens_.skip_name("else")) {
      block_end();
      stmt->otherwise = body_until({"endfor"});
    }
    tokens_.next();
    block_end();
    return stmt;
  }

  StmtPtr assign(int line) {
    auto stmt = make(Stmt::Kind::assign, line);
    stmt->target = tokens_.target();
    if (tokens_.skip_symbol("=")) {
      stmt->value = tokens_.tuple();
      block_end();
      return stmt;
    }
    stmt->kind = Stmt::Kind::assign_block;
    if (tokens_.skip_symbol("|")) stmt->value = tokens_.filter_chain();
    stmt->body = captured_body("endset");
    return stmt;
  }

  std::vector<Parameter> parameters() {
    std::vector<Parameter> list;
    tokens_.expect_symbol("(");
    while (!tokens_.skip_symbol(")")) {
      Parameter& parameter = list.emplace_back();
      parameter.name = tokens_.expect_name();
      if (tokens_.skip_symbol("="))
        parameter.fallback = tokens_.expression();
      else if (list.size() > 1 && list[list.size() - 2].fallback != nullptr)
        tokens_.unexpected("a default value");
      if (!tokens_.peek().is_symbol(")")) tokens_.expect_symbol(",");
    }
    return list;
  }

  // What is written to a text of its own cannot leave the loops around it.
  Body captured_body(std::string_view end) {
    const int outer = std::exchange(loops_, 0);
    Body body = rest_of(end);
    loops_ = outer;
    return body;
  }

  Body macro_body(std::string_view end) {
    ++macros_;
    Body body = captured_body(end);
    --macros_;
    return body;
  }

  StmtPtr macro(int line) {
    // A macro sees the variables of the template; elsewhere it would have to keep those around it alive.
    if (loops_ > 0 || macros_ > 0) fail_at(line, "a macro inside of a loop or a macro is not supported");
    auto stmt = make(Stmt::Kind::macro, line);
    stmt->macro = std::make_unique<Macro>();
    stmt->macro->name = tokens_.expect_name();
    stmt->macro->parameters = parameters();
    stmt->macro->body = macro_body("endmacro");
    return stmt;
  }

  StmtPtr call(int line) {
    auto stmt = make(Stmt::Kind::call, line);
    stmt->macro = std::make_unique<Macro>();
    stmt->macro->name = "caller";
    stmt->macro->is_block = true;
    if (tokens_.peek().is_symbol("(")) stmt->macro->parameters = parameters();
    stmt->value = tokens_.expression();
    if (stmt->value->kind != Expr::Kind::call) fail_at(line, "'call' without a call of a macro");
    stmt->macro->body = macro_body("endcall");
    return stmt;
  }

  StmtPtr filter(int line) {
    auto stmt = make(Stmt::Kind::filter, line);
    stmt->value = tokens_.filter_chain();
    stmt->body = captured_body("endfilter");
    return stmt;
  }

  StmtPtr with(int line) {
    auto stmt = make(Stmt::Kind::with, line);
    while (tokens_.peek().kind != Kind::block_end) {
      auto target = tokens_.target_name();
      tokens_.expect_symbol("=");
      stmt->assignments.emplace_back(std::move(target), tokens_.expression());
      if (tokens_.peek().kind != Kind::block_end) tokens_.expect_symbol(",");
    }
    ++macros_;  // a macro may not be defined in here
    stmt->body = rest_of("endwith");
    --macros_;
    return stmt;
  }

  StmtPtr group(int line) {
    auto stmt = make(Stmt::Kind::group, line);
    stmt->body = rest_of("endgeneration");
    return stmt;
  }

  StmtPtr jump(Stmt::Kind kind, int line) {
    if (loops_ == 0) fail_at(line, "'break' or 'continue' outside of a loop");
    block_end();
    return make(kind, line);
  }
  StmtPtr leave_loop(int line) { return jump(Stmt::Kind::leave_loop, line); }
  StmtPtr next_round(int line) { return jump(Stmt::Kind::next_round, line); }

  ExpressionParser tokens_;
  int loops_ = 0;
  int macros_ = 0;
};

}  // namespace

Body parse_template(std::string_view source) {
  return StatementParser(source).run();
}

}  // namespace engines::jinja
