// SPDX-License-Identifier: Apache-2.0
// Running a parsed template.
#pragma once

#include <string>
#include <unordered_map>

#include "engines/tokenizer/jinja/arguments.h"
#include "engines/tokenizer/jinja/ast.h"
#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// One rendering. The tree must outlive it.
class Evaluator {
 public:
  // `variables` are the names that the template sees.
  std::string render(const Body& body, std::vector<std::pair<std::string, Value>> variables);

 private:
  struct Scope {
    explicit Scope(Scope* outer) : parent(outer) {}
    Scope* parent;
    std::unordered_map<std::string, Value> names;
    // Inside of a macro that a call block calls: the block, and where it stands.
    const Macro* caller = nullptr;
    Scope* caller_scope = nullptr;
  };
  enum class Flow { normal, leave_loop, next_round };

  // Counts how deep the rendering is nested: macros that call themselves must not use up the stack.
  class Level {
   public:
    explicit Level(Evaluator& evaluator) : evaluator_(evaluator) {
      constexpr int deepest = 600;
      if (evaluator_.level_ >= deepest) evaluator_.runtime_.fail("calls itself too deeply");
      ++evaluator_.level_;
    }
    ~Level() { --evaluator_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Evaluator& evaluator_;
  };

  Flow run(const Body& body, Scope& scope);
  Flow run(const Stmt& stmt, Scope& scope);
  Flow run_choice(const Stmt& stmt, Scope& scope);
  Flow run_loop(const Stmt& stmt, Scope& scope);
  void run_assign_block(const Stmt& stmt, Scope& scope);
  Flow run_with(const Stmt& stmt, Scope& scope);
  std::vector<Value> loop_items(const Stmt& stmt, Scope& scope);
  Value loop_object(const std::vector<Value>& items, std::size_t i);
  void assign(const Expr& target, Value value, Scope& scope);
  void write(std::string_view text);
  // What the body writes, as a text.
  std::string captured(const Body& body, Scope& scope);

  Value evaluate(const Expr& expr, Scope& scope);
  Value evaluate_kind(const Expr& expr, Scope& scope);
  Value evaluate_part(const ExprPtr& part, Scope& scope);  // None when it is null
  Value name(const Expr& expr, Scope& scope);
  Value sequence(const Expr& expr, Scope& scope);
  Value dict(const Expr& expr, Scope& scope);
  Value comparison(const Expr& expr, Scope& scope);
  Value concatenation(const Expr& expr, Scope& scope);
  Value any_or_all(const Expr& expr, Scope& scope);
  Value filtered(const Expr& expr, const Value* block, Scope& scope);
  Value tested(const Expr& expr, Scope& scope);
  Value call(const Expr& expr, Scope& scope, const Macro* block);
  Value call_macro(const Macro& macro, Arguments arguments, Scope& scope, const Macro* block);
  Arguments arguments(const Expr& call, const std::string& callee, Scope& scope);

  Runtime runtime_;
  std::string* out_ = nullptr;
  int level_ = 0;
  Scope root_{nullptr};
};

}  // namespace engines::jinja
