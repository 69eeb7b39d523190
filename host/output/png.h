// SPDX-License-Identifier: Apache-2.0
// PNG files with what made them inside, written so that a reader never sees half a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/task/image.h"

namespace roundhouse::host {

// Keyword and UTF-8 text; written as tEXt when Latin-1 allows, else as iTXt.
using PngTexts = std::vector<std::pair<std::string, std::string>>;

std::vector<std::uint8_t> encode_png(const Image& image, const PngTexts& texts);

// Throws IO_ERROR or INSUFFICIENT_STORAGE unless files can be made in `directory` (or it can be made in its
// nearest existing parent). Writes nothing.
void check_output_directory(const std::filesystem::path& directory);

// Writes <directory>/<prefix>-YYYYMMDD-HHMMSS-<i>.png (UTC): i is the first from `first_index` up whose name
// is free; never overwrites, also against other processes. The file appears complete or not at all. Makes the
// directory. Returns the path.
std::filesystem::path write_png(const std::filesystem::path& directory, const std::string& prefix,
                                std::chrono::system_clock::time_point time, unsigned first_index,
                                const std::vector<std::uint8_t>& bytes);

}  // namespace roundhouse::host
