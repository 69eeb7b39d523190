// SPDX-License-Identifier: Apache-2.0
#include "host/sources/file_beginning.h"

#include <algorithm>
#include <fstream>

#include "host/store/file.h"
#include "host/store/gguf_header.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFirstLook = 1 << 20;

// How many bytes of a file have to be read to know its header, at most; 0 for what has none.
std::uint64_t header_bytes(const std::string& beginning, const std::string& shown) {
  constexpr std::size_t kLength = 8;
  if (beginning.starts_with("GGUF")) {
    if (parse_gguf_header(beginning, "file '" + shown + "'")) return 0;
    return std::min<std::uint64_t>(4 * beginning.size(), kMaximumGgufHeaderBytes);
  }
  if (beginning.size() <= kLength || beginning[kLength] != '{') return 0;
  std::uint64_t length = 0;
  for (std::size_t i = kLength; i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(beginning[i]);
  return length > kMaximumHeaderBytes ? 0 : kLength + length;
}

void write_sparse(const fs::path& file, const std::string& beginning, std::uint64_t size) {
  std::ofstream(file, std::ios::binary) << beginning;
  std::error_code error;
  fs::resize_file(file, size, error);
  if (error) throw_system("file '" + file.string() + "'", error.value());
}

}  // namespace

std::string beginning_of(Download& download, std::uint64_t bytes, const FetchBeginning& fetch) {
  if (download.have() < bytes) {
    const std::string text = fetch(bytes);
    if (text.size() > download.have()) {
      if (download.have() > 0) download.restart();
      download.append(text);
    }
  }
  std::string text(static_cast<std::size_t>(std::min(bytes, download.have())), '\0');
  std::ifstream(download.path(), std::ios::binary)
      .read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

void write_beginning(const fs::path& to, const std::string& shown, std::uint64_t size,
                     const FetchBeginning& fetch) {
  std::uint64_t bytes = std::min(size, kFirstLook);
  std::string beginning = fetch(bytes);
  while (beginning.size() < size && beginning.size() == bytes) {
    const std::uint64_t needed = header_bytes(beginning, shown);
    if (needed <= bytes) break;
    bytes = std::min(size, needed);
    beginning = fetch(bytes);
  }
  write_sparse(to, beginning, size);
}

}  // namespace roundhouse::host
