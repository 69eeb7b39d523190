// SPDX-License-Identifier: Apache-2.0
// A Hugging Face hub of one test: the answers of the real one, a content network on another port, and
// counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/host/sources/http_server.h"
#include "tests/host/sources/tcp_proxy.h"

namespace roundhouse::test {

struct HubEntry {
  std::string content;
  bool large = false;  // lies on the content network, known by its SHA-256
};

// All that a test changes is set before the first request. Repositories have one commit, on the branch main.
class FakeHub {
 public:
  FakeHub();

  static constexpr const char* kRepository = "test/model";
  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

  // Every file of a directory; safetensors are large.
  void add_directory(const std::filesystem::path& directory);
  std::map<std::string, HubEntry> files;

  std::optional<std::string> token;  // without it every answer is 401
  std::size_t page = 1000;           // entries of a listing
  // Answers in place of the hub (or of the content network, whose paths begin with /cdn/) where it does.
  std::function<std::optional<ServerReply>(const ServerRequest&)> instead;
  // Goes over what a file's listing says.
  std::function<void(std::string& listing)> edit_listing;

  std::string endpoint() const { return "http://" + hub_.address(); }
  std::vector<ServerRequest> requests() const { return hub_.requests(); }
  // What came to the content network.
  std::vector<ServerRequest> content_requests() const { return content_.requests(); }
  // Bytes of files that were answered with, from both.
  std::uint64_t bytes_served() const { return served_; }
  // What stands between the clients and the content network.
  TcpProxy& wire() { return wire_; }

 private:
  ServerReply answer(const ServerRequest& request);
  ServerReply answer_api(const std::string& path, const ServerRequest& request);
  ServerReply answer_file(const std::string& path, const ServerRequest& request);
  ServerReply answer_content(const ServerRequest& request);
  ServerReply listing(const ServerRequest& request);
  // The part of the content that the request wants.
  ServerReply piece(const ServerRequest& request, const std::string& content);

  std::atomic<std::uint64_t> served_ = 0;
  HttpServer content_;
  TcpProxy wire_;
  HttpServer hub_;
};

}  // namespace roundhouse::test
