// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/elf_exports.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace conformance {
namespace {

class ElfFile {
 public:
  explicit ElfFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) throw std::runtime_error(path + ": cannot be read");
  }

  // Record number `index` of a table at `offset`.
  template <class Record>
  Record record(std::uint64_t offset, std::uint64_t index) const {
    Record value;
    const std::uint64_t size = bytes_.size();
    if (offset > size || index >= (size - offset) / sizeof value) {
      throw std::runtime_error("the file ends within a table");
    }
    std::memcpy(&value, bytes_.data() + offset + index * sizeof value, sizeof value);
    return value;
  }

  std::string text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) throw std::runtime_error("a name lies beyond the end of the file");
    const std::size_t end = bytes_.find('\0', offset);
    return bytes_.substr(offset, end == std::string::npos ? end : end - offset);
  }

 private:
  std::string bytes_;
};

}  // namespace

std::vector<ExportedSymbol> exported_symbols(const std::string& path) {
  const ElfFile file(path);
  const auto header = file.record<Elf64_Ehdr>(0, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN) {
    throw std::runtime_error(path + ": no 64-bit shared object");
  }
  std::vector<ExportedSymbol> symbols;
  for (std::uint64_t s = 0; s < header.e_shnum; ++s) {
    const auto section = file.record<Elf64_Shdr>(header.e_shoff, s);
    if (section.sh_type != SHT_DYNSYM) continue;
    const auto names = file.record<Elf64_Shdr>(header.e_shoff, section.sh_link);
    for (std::uint64_t i = 0; i < section.sh_size / sizeof(Elf64_Sym); ++i) {
      const auto symbol = file.record<Elf64_Sym>(section.sh_offset, i);
      const unsigned binding = ELF64_ST_BIND(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS || binding == STB_LOCAL) continue;
      symbols.push_back(
          {file.text(names.sh_offset + symbol.st_name), ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT});
    }
  }
  return symbols;
}

}  // namespace conformance
