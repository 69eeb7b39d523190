// SPDX-License-Identifier: Apache-2.0
#include "host/store/small_file.h"
#include "host/text/json_text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr int kMaximumDepth = 64;

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void throw_errno(const std::string& shown, int error) {
  throw Error(RH_IO_ERROR, shown + ": " + std::strerror(error));
}

}  // namespace

std::optional<std::string> read_small_file(const std::filesystem::path& file, const std::string& shown,
                                           std::size_t limit) {
  // O_NONBLOCK: a FIFO in the file's place must not hang the program.
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (descriptor.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno(shown, errno);
  }
  struct stat status {};
  if (::fstat(descriptor.fd, &status) != 0) throw_errno(shown, errno);
  if (!S_ISREG(status.st_mode)) throw Error(RH_IO_ERROR, shown + ": is not a regular file");
  if (static_cast<std::size_t>(status.st_size) > limit) {
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: has {} bytes, expected at most {}", shown, status.st_size, limit));
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::read(descriptor.fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno(shown, errno);
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  text.resize(done);
  return text;
}

nlohmann::json parse_json_object(const std::string& text, const std::string& shown) {
  bool too_deep = false;
  std::vector<std::set<std::string>> keys;  // of the open objects: two readers may take two different ones
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    too_deep = too_deep || depth > kMaximumDepth;
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw Error(RH_MODEL_INVALID, shown + ": the key " + json_ascii(value) + " comes twice");
    return !too_deep;
  };
  const auto refuse_depth = [&] {
    if (!too_deep) return;
    throw Error(RH_MODEL_INVALID, fmt::format("{}: nested deeper than {} levels", shown, kMaximumDepth));
  };
  try {
    auto json = nlohmann::json::parse(text, watch);
    refuse_depth();
    if (!json.is_object()) {
      throw Error(RH_MODEL_INVALID, shown + ": is a JSON " + json.type_name() + ", expected an object");
    }
    return json;
  } catch (const nlohmann::json::parse_error& error) {
    refuse_depth();
    throw Error(RH_MODEL_INVALID, fmt::format("{}: not JSON at byte {}", shown, error.byte));
  } catch (const nlohmann::json::exception& error) {  // a number beyond every type
    throw Error(RH_MODEL_INVALID, shown + ": not usable JSON: " + error.what());
  }
}

}  // namespace roundhouse::host
