// SPDX-License-Identifier: Apache-2.0
// Image files, written so that a reader never sees half a file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/images/image_format.h"

namespace roundhouse::host {

// Throws IO_ERROR or INSUFFICIENT_STORAGE unless files can be made in `directory` (or it can be made in its
// nearest existing parent). Writes nothing.
void check_output_directory(const std::filesystem::path& directory);

// Writes <directory>/<prefix>-YYYYMMDD-HHMMSS-<i>.<extension of format> (UTC): i is the first from
// `first_index` up whose name is free; never overwrites, also against other processes. The file appears
// complete or not at all. Makes the directory. Returns the path.
std::filesystem::path write_image(const std::filesystem::path& directory, const std::string& prefix,
                                  std::chrono::system_clock::time_point time, unsigned first_index,
                                  ImageFormat format, const std::vector<std::uint8_t>& bytes);

}  // namespace roundhouse::host
