// SPDX-License-Identifier: Apache-2.0
// Tar archives, written the same from the same input, and read as if a stranger had made them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace roundhouse::host {

// An archive in the making; owner, mode and times are the same for every entry and every run. The file is
// there under its name only after `finish`. Throws INSUFFICIENT_STORAGE or IO_ERROR.
class TarWriter {
 public:
  // Throws IO_ERROR when there is a file of that name.
  explicit TarWriter(const std::filesystem::path& file);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void begin(const std::string& name, std::uint64_t size);
  void write(std::string_view bytes);
  void add(const std::string& name, std::string_view content) {
    begin(name, content.size());
    write(content);
  }
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A regular file of an archive that is being read. `data` gives its bytes in pieces until `piece` returns
// false.
struct TarEntry {
  std::string name;  // safe: relative, without ".."
  std::uint64_t size = 0;
  std::function<void(const std::function<bool(std::string_view)>& piece)> data;
};

// Calls `entry` for each regular file; directories are passed over. Throws UNSAFE_NAME for names that lead
// elsewhere and for links and devices, MODEL_INVALID for what is no tar archive or is cut short, IO_ERROR.
void read_tar(const std::filesystem::path& file, const std::function<void(const TarEntry&)>& entry);

}  // namespace roundhouse::host
