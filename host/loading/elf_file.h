// SPDX-License-Identifier: Apache-2.0
// A look at a library file before the dynamic linker maps it, which would take a file that is cut off for
// whole and die of SIGBUS.
#pragma once

#include <filesystem>
#include <string>

namespace roundhouse::host {

// Throws ENGINE_BROKEN when the file is missing, no ELF shared object or cut off, ENGINE_INCOMPATIBLE when it
// is made for another kind of processor, IO_ERROR when it may not be read.
void check_elf_file(const std::string& engine, const std::filesystem::path& library);

// What the linker wrote to tell one build from another, in hexadecimal digits; empty without one, and for
// what is no ELF file.
std::string build_id(const std::filesystem::path& library);

}  // namespace roundhouse::host
