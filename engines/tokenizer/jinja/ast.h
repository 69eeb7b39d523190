// SPDX-License-Identifier: Apache-2.0
// The tree of a parsed template.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

// What `text` and `children` are, by kind:
//   constant      `constant`
//   name          text
//   list, tuple   the elements
//   dict          key, value, key, value, ...
//   attribute     object; text is the attribute
//   subscript     object, index
//   slice         object, start, stop, step (the last three may be null)
//   call          callee, arguments...; `named`
//   filter, test  subject, arguments...; `named`; text is the name. The subject of a filter over a block is
//   null. unary         operand; text is "-", "+" or "not" binary        left, right; text is the operator
//   compare       operands; `operators` between them, among these "in" and "not in"
//   concat, all, any   operands ("~", "and", "or")
//   conditional   condition, value, other value (may be null)
struct Expr {
  enum class Kind {
    constant,
    name,
    list,
    tuple,
    dict,
    attribute,
    subscript,
    slice,
    call,
    filter,
    test,
    unary,
    binary,
    compare,
    concat,
    all,
    any,
    conditional
  };
  Kind kind = Kind::constant;
  int line = 1;
  int depth = 1;  // of the tree below
  std::string text;
  Value constant;
  std::vector<ExprPtr> children;
  std::vector<std::pair<std::string, ExprPtr>> named;
  std::vector<std::string> operators;
};

struct Stmt;
using Body = std::vector<std::unique_ptr<Stmt>>;

struct Branch {
  ExprPtr condition;  // null for else
  Body body;
};

struct Parameter {
  std::string name;
  ExprPtr fallback;  // may be null
};

// A macro, or the body of a call block, which the macro sees as caller().
struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  Body body;
  bool is_block = false;
};

// By kind:
//   data          text
//   output        value
//   choice        branches
//   loop          target, value (what is looped over), condition (may be null), body, otherwise
//   assign        target, value
//   assign_block  target, value (a filter without subject; may be null), body
//   with          assignments to targets, body
//   filter        value (a filter without subject), body
//   macro         macro
//   call          value (a call of a macro), macro (the body)
//   group         body (a `generation` block, which only matters in training)
struct Stmt {
  enum class Kind {
    data,
    output,
    choice,
    loop,
    assign,
    assign_block,
    with,
    filter,
    macro,
    call,
    group,
    leave_loop,
    next_round
  };
  Kind kind = Kind::data;
  int line = 1;
  std::string text;
  ExprPtr target;
  ExprPtr value;
  ExprPtr condition;
  std::vector<Branch> branches;
  std::vector<std::pair<ExprPtr, ExprPtr>> assignments;
  Body body;
  Body otherwise;
  std::unique_ptr<Macro> macro;
};

}  // namespace engines::jinja
