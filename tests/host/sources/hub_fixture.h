// SPDX-License-Identifier: Apache-2.0
// A hub that holds the tiny model, and a store of one test.
#pragma once

#include <atomic>
#include <memory>

#include "host/sources/hub.h"
#include "tests/host/sources/fake_hub.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {

class HubTest : public StoreTest {
 protected:
  HubTest() {
    std::filesystem::remove_all(model() / "expected");
    hub_.add_directory(model());
    options_.endpoint = Url::parse(hub_.endpoint());
    options_.cache = directory_.path() / "cache";
  }

  ImportReport pull(const std::string& name = "m") { return pull({{source()}}, name); }
  ImportReport pull(const std::vector<HubPart>& parts, const std::string& name) {
    return pull_from_hub(store(), parts, ModelName::parse(name), options_, {});
  }
  static HubRepository source() { return {test::FakeHub::kRepository, "main"}; }
  std::string pulled(const std::string& name = "m") {
    return outcome([&] { pull(name); });
  }

  std::uint64_t all_bytes() const {
    std::uint64_t bytes = 0;
    for (const auto& [path, entry] : hub_.files)
      bytes += entry.content.size();
    return bytes;
  }
  std::string large_path(const std::string& path) { return "/cdn/" + sha256(hub_.files[path].content).hex(); }
  void answer_once(const std::string& ending, test::ServerReply reply) {
    hub_.instead = [=, done = std::make_shared<std::atomic<bool>>(false)](
                       const test::ServerRequest& request) -> std::optional<test::ServerReply> {
      if (!request.path().ends_with(ending) || done->exchange(true)) return std::nullopt;
      return reply;
    };
  }
  void answer_always(const std::string& ending, test::ServerReply reply) {
    hub_.instead = [=](const test::ServerRequest& request) -> std::optional<test::ServerReply> {
      if (!request.path().ends_with(ending)) return std::nullopt;
      return reply;
    };
  }

  // The cache of the hub's own clients with that content.
  void fill_cache(const std::set<std::string>& without = {}) {
    const std::filesystem::path directory = options_.cache / "models--test--model";
    for (const auto& [path, entry] : hub_.files) {
      if (without.contains(path)) continue;
      const std::filesystem::path file = directory / "snapshots" / test::FakeHub::kCommit / path;
      const std::filesystem::path blob = directory / "blobs" / sha256(entry.content).hex();
      std::filesystem::create_directories(file.parent_path());
      std::filesystem::create_directories(blob.parent_path());
      std::ofstream(blob, std::ios::binary) << entry.content;
      std::filesystem::create_symlink(blob, file);
    }
    std::filesystem::create_directories(directory / "refs");
    std::ofstream(directory / "refs/main") << test::FakeHub::kCommit;
  }

  test::FakeHub hub_;
  HubOptions options_;
};

}  // namespace roundhouse::host
