// SPDX-License-Identifier: Apache-2.0
// Debian's docker-registry, on a free port with its data in a directory of the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace roundhouse::test {

class DockerRegistry {
 public:
  struct Options {
    std::string auth = {};  // the section "auth" of its configuration, in YAML's flow style
    bool read_only = false;
  };

  // Returns once it listens. Throws std::runtime_error with its log when it does not.
  DockerRegistry(std::filesystem::path directory, const Options& options);
  explicit DockerRegistry(std::filesystem::path directory)
      : DockerRegistry(std::move(directory), Options{}) {}
  ~DockerRegistry();
  DockerRegistry(const DockerRegistry&) = delete;
  DockerRegistry& operator=(const DockerRegistry&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  void stop();

  // Where it keeps the blob of a digest ("sha256:...").
  std::filesystem::path blob(const std::string& digest) const;
  // How often it was asked, by the log of its requests.
  std::size_t requests(const std::string& method) const;

 private:
  std::string log() const;
  bool find_port();

  std::filesystem::path directory_;
  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace roundhouse::test
