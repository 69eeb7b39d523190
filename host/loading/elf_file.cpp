// SPDX-License-Identifier: Apache-2.0
// Checks the headers of an ELF file against the file.
#include "host/loading/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "host/loading/plugin_error.h"

namespace roundhouse::host {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kMachine = EM_RISCV;
#else
#error "name the e_machine of this processor"
#endif
constexpr unsigned kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
constexpr unsigned kData = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

class LibraryFile {
 public:
  LibraryFile(const std::string& engine, const std::filesystem::path& path)
      : engine_(engine),
        name_("library '" + path.string() + "' "),
        // O_NONBLOCK: opening a pipe without a writer would wait for ever.
        descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ >= 0) return;
    if (errno == ENOENT || errno == ENOTDIR) refuse("does not exist");
    throw Error(RH_IO_ERROR, "engine '" + engine_ + "': " + name_ +
                                 "cannot be read: " + std::generic_category().message(errno));
  }
  LibraryFile(const LibraryFile&) = delete;
  LibraryFile& operator=(const LibraryFile&) = delete;
  ~LibraryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void check() {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) refuse("is not a regular file");
    size_ = static_cast<std::uint64_t>(status.st_size);
    Header header{};
    if (!read(&header, sizeof header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
      refuse("is not an ELF file");
    }
    check_kind(header);
    for (unsigned i = 0; i < header.e_phnum; ++i)
      check_segment(header, i);
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const {
    throw broken(engine_, rule::kLoadable, name_ + problem);
  }

  bool read(void* target, std::size_t bytes, std::uint64_t offset) const {
    return ::pread(descriptor_, target, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
  }

  void check_kind(const Header& header) const {
    if (header.e_ident[EI_CLASS] != kClass || header.e_ident[EI_DATA] != kData ||
        header.e_machine != kMachine) {
      throw Error(
          RH_ENGINE_INCOMPATIBLE,
          fmt::format(
              "engine '{}': {}is made for another kind of processor (ELF machine {}, this host is {})",
              engine_, name_, header.e_machine, kMachine));
    }
    if (header.e_type != ET_DYN) refuse("is not a shared object");
    if (header.e_phentsize != sizeof(Segment) || header.e_phnum == 0) refuse("has no segments");
  }

  void check_segment(const Header& header, unsigned index) const {
    Segment segment{};
    // Neither sum can overflow the comparison: both are held against the size first.
    const bool inside =
        header.e_phoff <= size_ && read(&segment, sizeof segment, header.e_phoff + index * sizeof segment);
    if (!inside) refuse("is cut off within its program headers");
    if (segment.p_type != PT_LOAD) return;
    if (segment.p_offset > size_ || segment.p_filesz > size_ - segment.p_offset) {
      refuse(fmt::format("is cut off: it has {} bytes, segment {} takes {} from {}", size_, index,
                         segment.p_filesz, segment.p_offset));
    }
  }

  const std::string& engine_;
  std::string name_;
  int descriptor_;
  std::uint64_t size_ = 0;
};

}  // namespace

void check_elf_file(const std::string& engine, const std::filesystem::path& library) {
  LibraryFile(engine, library).check();
}

}  // namespace roundhouse::host
