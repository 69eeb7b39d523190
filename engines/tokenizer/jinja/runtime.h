// SPDX-License-Identifier: Apache-2.0
// What every part of a rendering shares: the limits that it runs under, and how it fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// MODEL_INVALID "chat template: line <line>: <what>".
[[noreturn]] void fail_at(int line, const std::string& what);

constexpr std::size_t longest_text = std::size_t{16} << 20;
constexpr int deepest_nesting = 100;

// One per rendering. Values that grow are made here, so that their size counts as work.
class Runtime {
 public:
  Runtime() = default;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  [[noreturn]] void fail(const std::string& what) const { fail_at(line, what); }
  // One step of a loop or one evaluated node is 1; a rendering may take 1e6.
  void charge(std::uint64_t steps);
  // For work that is proportional to so many bytes of text.
  void charge_bytes(std::size_t bytes) { charge(bytes / 256); }

  // For looking for one text in another, which may compare every byte with every byte.
  void charge_search(std::size_t bytes, std::size_t wanted);

  Value text(std::string text);
  Value list(std::vector<Value> items, bool tuple = false);
  Value dict(std::vector<std::pair<std::string, Value>> members);
  Value name_space(std::vector<std::pair<std::string, Value>> members);

  int line = 0;  // of the statement that is executed

 private:
  std::uint64_t steps_ = 0;
  std::vector<std::shared_ptr<Object>> name_spaces_;  // emptied at the end: they may refer to each other
};

}  // namespace engines::jinja
