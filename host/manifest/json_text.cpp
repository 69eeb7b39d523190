// SPDX-License-Identifier: Apache-2.0
// Reads a bounded file and parses bounded JSON.
#include "host/manifest/json_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

struct Descriptor {
  int number;
  explicit Descriptor(int n) : number(n) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

std::string quoted(const std::filesystem::path& file) {
  return "manifest '" + file.string() + "'";
}

Error io_error(const std::filesystem::path& file, int number) {
  return Error(RH_IO_ERROR, quoted(file) + ": " + std::generic_category().message(number));
}

std::string without_prefix(const std::string& what) {
  // nlohmann's texts begin with "[json.exception.parse_error.101] ".
  const auto end = what.find("] ");
  return end == std::string::npos ? what : what.substr(end + 2);
}

}  // namespace

std::string read_small_file(const std::filesystem::path& file) {
  // O_NONBLOCK: opening a pipe without a writer would wait for ever.
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.number < 0) throw io_error(file, errno);
  struct stat status {};
  if (::fstat(descriptor.number, &status) != 0) throw io_error(file, errno);
  if (!S_ISREG(status.st_mode)) throw Error(RH_IO_ERROR, quoted(file) + ": is not a regular file");
  std::string text;
  std::array<char, 16384> block;
  while (true) {
    const ssize_t count = ::read(descriptor.number, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw io_error(file, errno);
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > kManifestBytes) {
      throw Error(RH_ENGINE_BROKEN, fmt::format("{}: is larger than {} bytes", quoted(file), kManifestBytes));
    }
  }
}

nlohmann::json parse_json(const std::filesystem::path& file, const std::string& text) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int depth, Event event, nlohmann::json& parsed) {
    if ((event == Event::object_start || event == Event::array_start) && depth >= kManifestDepth) {
      throw Error(RH_ENGINE_BROKEN,
                  fmt::format("{}: is nested deeper than {} levels", quoted(file), kManifestDepth));
    }
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(RH_ENGINE_BROKEN, quoted(file) + ": the key " + json_ascii(parsed) + " is there twice");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    throw Error(RH_ENGINE_BROKEN, quoted(file) + ": " + without_prefix(error.what()));
  }
}

}  // namespace roundhouse::host
