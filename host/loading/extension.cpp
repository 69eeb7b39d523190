// SPDX-License-Identifier: Apache-2.0
// Checks of extensions' functions.
#include "host/loading/extension.h"

#include <cstring>

namespace roundhouse::host {

void check_functions(const std::string& engine, const std::string& id, const void* functions,
                     std::span<const char* const> names) {
  const auto* next = static_cast<const unsigned char*>(functions);
  for (const char* name : names) {
    void* function = nullptr;
    std::memcpy(&function, next, sizeof function);
    next += sizeof function;
    if (function == nullptr) {
      throw broken(engine, rule::kRecords, id + ": " + name + " is NULL, expected a function");
    }
  }
}

}  // namespace roundhouse::host
