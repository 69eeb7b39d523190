// SPDX-License-Identifier: Apache-2.0
// Reads named, typed engine options so that none can be dropped: what nobody asked for is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roundhouse/error.hpp"
#include "roundhouse/floor.hpp"

namespace roundhouse {

// A view of the host's list, valid for the call that it came with. Ask for every option that the engine
// knows before the work begins; the base classes then call refuse_unread().
class Options {
 public:
  // `list` may be NULL: no options. `reader` is named in messages, such as "engine 'testcard'".
  Options(const rh_options* list, std::string reader) : reader_(std::move(reader)) {
    if (list == nullptr) return;
    const std::uint32_t count = checked(list, "options").count;
    for (std::uint32_t i = 0; i < count; ++i) {
      checked(list->items, "options.items");
      const rh_option& option = checked(&list_item(list->items, i), "options.items");
      if (option.name == nullptr) throw Error(RH_INVALID_ARGUMENT, "options: an option has no name");
      entries_.push_back({&option, false});
    }
  }

  // The value, or `fallback` when it was not given. INVALID_ARGUMENT when it has another type.
  std::string string(std::string_view name, std::string fallback) {
    const rh_option* option = take(name, RH_OPTION_STRING, "a text");
    if (option == nullptr) return fallback;
    if (option->string == nullptr) throw Error(RH_INVALID_ARGUMENT, quoted(name) + " is a NULL text");
    return option->string;
  }
  std::int64_t integer(std::string_view name, std::int64_t fallback) {
    const rh_option* option = take(name, RH_OPTION_INTEGER, "an integer");
    return option == nullptr ? fallback : option->integer;
  }
  double number(std::string_view name, double fallback) {
    const rh_option* option = take(name, RH_OPTION_NUMBER, "a number");
    return option == nullptr ? fallback : option->number;
  }
  bool boolean(std::string_view name, bool fallback) {
    const rh_option* option = take(name, RH_OPTION_BOOLEAN, "a boolean");
    return option == nullptr ? fallback : option->integer != 0;
  }

  // UNKNOWN_OPTION for the first option that nobody has asked for.
  void refuse_unread() const {
    for (const Entry& entry : entries_) {
      if (!entry.read) {
        throw Error(RH_UNKNOWN_OPTION, quoted(entry.option->name) + " is not known to " + reader_);
      }
    }
  }

 private:
  struct Entry {
    const rh_option* option;
    bool read;
  };

  static std::string quoted(std::string_view name) { return "option '" + std::string(name) + "'"; }

  // The last option of that name wins; all of them count as read.
  const rh_option* take(std::string_view name, std::uint32_t type, const char* expectation) {
    const rh_option* found = nullptr;
    for (Entry& entry : entries_) {
      if (name != entry.option->name) continue;
      if (entry.option->type != type) {
        throw Error(RH_INVALID_ARGUMENT, quoted(name) + " has type " + std::to_string(entry.option->type) +
                                             ", expected " + expectation);
      }
      entry.read = true;
      found = entry.option;
    }
    return found;
  }

  std::string reader_;
  std::vector<Entry> entries_;
};

}  // namespace roundhouse
