// SPDX-License-Identifier: Apache-2.0
// Reads PNG files for tests, with libpng and none of the program's own code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace roundhouse::test {

struct PngContent {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
  std::map<std::string, std::string> texts;   // keyword -> UTF-8 (tEXt converted from Latin-1)
  std::map<std::string, bool> international;  // keyword -> whether it was an iTXt
};

// Throws std::runtime_error for anything that is not a complete 8-bit RGB PNG.
PngContent read_png(const std::vector<std::uint8_t>& bytes);
PngContent read_png(const std::filesystem::path& file);

}  // namespace roundhouse::test
