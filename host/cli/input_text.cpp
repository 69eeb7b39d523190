// SPDX-License-Identifier: Apache-2.0
#include "host/cli/input_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "host/log/reason.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void unreadable(const std::string& what, const std::string& file, int error) {
  throw Error(RH_IO_ERROR, what + " '" + file + "': " + reason(error));
}

class InputDescriptor {
 public:
  InputDescriptor(const std::string& what, const std::string& file)
      : value_(file == "-" ? STDIN_FILENO : open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (value_ < 0) unreadable(what, file, errno);
  }
  ~InputDescriptor() {
    if (value_ != STDIN_FILENO) close(value_);
  }
  InputDescriptor(const InputDescriptor&) = delete;
  InputDescriptor& operator=(const InputDescriptor&) = delete;
  int value() const { return value_; }

 private:
  int value_;
};

// Without what editors add: a byte order mark in front, carriage returns, and the end of the last line.
std::string cleaned(std::string_view given) {
  if (given.starts_with("\xEF\xBB\xBF")) given.remove_prefix(3);
  std::string text;
  text.reserve(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (given.substr(i, 2) != "\r\n") text += given[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

std::string read_input(const std::string& what, const std::string& file, std::size_t longest) {
  const InputDescriptor descriptor(what, file);
  std::string bytes;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = read(descriptor.value(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) unreadable(what, file, errno);
    if (count == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (bytes.size() > longest) {
      throw Error(RH_INVALID_ARGUMENT, fmt::format("{} '{}': is longer than {} bytes", what, file, longest));
    }
  }
}

std::string read_input_text(const std::string& what, const std::string& file, std::size_t longest) {
  return cleaned(read_input(what, file, longest));
}

}  // namespace roundhouse::host
