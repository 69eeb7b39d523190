// SPDX-License-Identifier: Apache-2.0
// What goes wrong between host and plugin, as errors: rules broken, statuses returned, exceptions escaped.
#pragma once

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

#include "host/loading/rules.h"
#include "roundhouse/error.hpp"
#include "roundhouse/floor.hpp"

namespace roundhouse::host {

// ENGINE_BROKEN: "engine 'x': <text> (rule P1)".
Error broken(const std::string& engine, const char* rule, const std::string& text);

// ENGINE_INCOMPATIBLE in the same words, for a plugin that is not one of this ABI at all.
Error incompatible(const std::string& engine, const char* rule, const std::string& text);

// What is wrong with a record: that it is NULL, or smaller than in its first release; or "".
template <class Record>
std::string problem_of_record(const std::string& name, const Record* record) {
  if (record == nullptr) return name + " is NULL";
  if (reaches_floor(record)) return "";
  return fmt::format("{}: struct_size is {}, expected at least {}", name, record->struct_size,
                     floor_size<Record>);
}

// Throws ENGINE_BROKEN unless the record can be read.
template <class Record>
void check_record(const std::string& engine, const char* rule, const std::string& name,
                  const Record* record) {
  const std::string problem = problem_of_record(name, record);
  if (!problem.empty()) throw broken(engine, rule, problem);
}

// Throws ENGINE_BROKEN when the function pointer is NULL.
template <class Function>
void check_function(const std::string& engine, const char* rule, const std::string& name,
                    Function* function) {
  if (function == nullptr) throw broken(engine, rule, name + " is NULL, expected a function");
}

// Calls `visit` with every record of a borrowed list, after a check that the list can be walked.
template <class List, class Visit>
void walk(const std::string& engine, const char* rule, const std::string& name, const List* list,
          Visit&& visit) {
  using Record = std::remove_cv_t<std::remove_pointer_t<decltype(list->items)>>;
  constexpr std::uint32_t most = 4096;  // records, and bytes of one
  check_record(engine, rule, name, list);
  if (list->count == 0) return;
  if (list->count > most) {
    throw broken(engine, rule,
                 fmt::format("{} has {} records, expected at most {}", name, list->count, most));
  }
  check_record(engine, rule, name + ".items", list->items);
  const std::uint32_t stride = list->items->struct_size;
  if (stride > most || stride % alignof(Record) != 0) {
    throw broken(engine, rule,
                 fmt::format("{}.items: struct_size is {}, expected a multiple of {} up to {}", name, stride,
                             alignof(Record), most));
  }
  for (std::uint32_t i = 0; i < list->count; ++i)
    visit(list_item(list->items, i));
}

// The record that a call into the plugin may fill.
class ErrorRecord {
 public:
  rh_error* get() { return &record_; }

  // Throws unless the status is RH_OK: the plugin's own error; ENGINE_INTERNAL for a status that is in no
  // catalogue; with a remark when there is no message.
  void check(const std::string& engine, const std::string& call, rh_status status) const;

 private:
  rh_error record_{sizeof(rh_error), RH_OK, ""};
};

// Runs one call into the plugin; an exception that escapes from it becomes ENGINE_BROKEN.
template <class Call>
auto without_exceptions(const std::string& engine, const std::string& name, Call&& call) {
  try {
    return call();
  } catch (const abi::__forced_unwind&) {
    throw;  // the end of a thread, which must not be held up
  } catch (const std::exception& escaped) {
    throw broken(engine, rule::kExceptions, name + " let an exception escape: " + escaped.what());
  } catch (...) {
    throw broken(engine, rule::kExceptions,
                 name + " let an exception escape that is not derived from std::exception");
  }
}

}  // namespace roundhouse::host
