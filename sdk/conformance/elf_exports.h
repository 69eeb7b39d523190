// SPDX-License-Identifier: Apache-2.0
// The dynamic symbols that a shared object defines, read from its file without loading it.
#pragma once

#include <string>
#include <vector>

namespace conformance {

struct ExportedSymbol {
  std::string name;
  bool is_data = false;
};

// Throws std::runtime_error when the file cannot be read or is no 64-bit little-endian shared object.
std::vector<ExportedSymbol> exported_symbols(const std::string& path);

}  // namespace conformance
