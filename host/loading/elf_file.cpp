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

constexpr std::size_t kLargestNotes = 64 << 10;

// The build id among the notes of a segment, each of which is a header, a name and a value, padded to 4
// bytes.
std::string build_id_of(const std::string& notes) {
  const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  ElfW(Nhdr) note{};
  for (std::size_t at = 0; at <= notes.size() && notes.size() - at >= sizeof note;) {
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::size_t name = at + sizeof note, value = name + padded(note.n_namesz);
    if (value > notes.size() || note.n_descsz > notes.size() - value) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && notes.compare(name, 4, "GNU\0", 4) == 0) {
      std::string id;
      for (const char byte : notes.substr(value, note.n_descsz))
        id += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      return id;
    }
    at = value + padded(note.n_descsz);
  }
  return "";
}

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

  // Of a file that was checked: the note of the linker, as far as it is one.
  std::string build_id() const {
    Header header{};
    if (!read(&header, sizeof header, 0)) return "";
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Segment segment{};
      if (!read(&segment, sizeof segment, header.e_phoff + i * sizeof segment)) return "";
      if (segment.p_type != PT_NOTE || segment.p_filesz > kLargestNotes) continue;
      std::string notes(segment.p_filesz, '\0');
      if (!read(notes.data(), notes.size(), segment.p_offset)) continue;
      if (std::string id = build_id_of(notes); !id.empty()) return id;
    }
    return "";
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

std::string build_id(const std::filesystem::path& library) {
  try {
    const std::string unnamed;
    LibraryFile file(unnamed, library);
    file.check();
    return file.build_id();
  } catch (const Error&) {
    return "";
  }
}

}  // namespace roundhouse::host
