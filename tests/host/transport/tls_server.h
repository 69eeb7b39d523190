// SPDX-License-Identifier: Apache-2.0
// A server with TLS of one test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace roundhouse::test {

// Answers every connection that agrees on TLS with the text, on a free port of 127.0.0.1.
class TlsServer {
 public:
  TlsServer(const std::filesystem::path& certificate, const std::filesystem::path& key, std::string answer);
  ~TlsServer();

  std::uint16_t port() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace roundhouse::test
