// SPDX-License-Identifier: Apache-2.0
// The arguments of a call, taken one by one as the parameters are named.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

class Arguments {
 public:
  using Named = std::vector<std::pair<std::string, Value>>;
  // `callee` is its name in messages.
  Arguments(Runtime& runtime, std::string callee, std::vector<Value> positional, Named named)
      : runtime_(runtime),
        callee_(std::move(callee)),
        positional_(std::move(positional)),
        named_(std::move(named)) {}

  // The next parameter: by position if one is left, else by name, else nothing or the fallback.
  std::optional<Value> take_if(std::string_view name);
  Value take(std::string_view name);
  Value take(std::string_view name, Value fallback);
  std::string take_text(std::string_view name);
  std::string take_text(std::string_view name, std::string_view fallback);
  std::int64_t take_integer(std::string_view name, std::int64_t fallback);
  bool take_flag(std::string_view name, bool fallback) { return take(name, Value(fallback)).truthy(); }
  // By name only.
  std::optional<Value> take_named(std::string_view name);

  bool has_positional() const { return at_ < positional_.size(); }
  std::vector<Value> rest_positional();
  Named rest_named();

  // Throws when something is left that no parameter took.
  void finish() const;

  Runtime& runtime() const { return runtime_; }
  [[noreturn]] void fail(const std::string& what) const { runtime_.fail(callee_ + ": " + what); }

 private:
  Runtime& runtime_;
  std::string callee_;
  std::vector<Value> positional_;
  std::size_t at_ = 0;
  Named named_;
};

}  // namespace engines::jinja
