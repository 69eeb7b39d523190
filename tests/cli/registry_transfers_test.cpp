// SPDX-License-Identifier: Apache-2.0
// What travels to and from a registry, counted; and transfers that are killed, at once, or in each other's
// way.
#include <csignal>
#include <future>

#include "tests/cli/registry_fixture.h"

namespace roundhouse::test {
namespace {

using Direction = TcpProxy::Direction;

// Requests, answers, tokens and manifests of one command: all that is no blob.
constexpr std::uint64_t kTalk = 64 << 10;

class RegistryTransfers : public RegistryTest {
 protected:
  std::string target(const std::string& repository) const { return at(proxy_.address(), repository); }
  // Bytes of the files that the two models do not share.
  std::uint64_t difference(const std::string& model, const std::string& other) const {
    const std::string known = files(other).dump();
    const nlohmann::json all = files(model);
    std::uint64_t bytes = 0;
    for (const auto& file : all) {
      if (known.find(file.at("digest").get<std::string>()) == std::string::npos)
        bytes += file.at("bytes").get<std::uint64_t>();
    }
    return bytes;
  }
  static std::uint64_t bytes_beneath(const fs::path& directory) {
    std::uint64_t bytes = 0;
    if (!fs::exists(directory)) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
      bytes += entry.is_regular_file() ? entry.file_size() : 0;
    return bytes;
  }

  DockerRegistry registry_{root_ / "registry"};
  TcpProxy proxy_{registry_.port()};
};

TEST_F(RegistryTransfers, send_only_what_is_missing) {
  import("pocket-turbo");
  import("pocket-base");
  run_json({"push", "pocket-turbo", target("pocket:turbo")});
  proxy_.reset();
  const nlohmann::json again = run_json({"push", "pocket-turbo", target("pocket:turbo")});
  EXPECT_EQ(again.at("bytes_sent"), 0);
  EXPECT_EQ(again.at("manifest_there"), true);
  EXPECT_LT(proxy_.passed(Direction::up), kTalk);

  const std::uint64_t different = difference("pocket-base", "pocket-turbo");
  proxy_.reset();
  const nlohmann::json base = run_json({"push", "pocket-base", target("pocket:base")});
  // The config, which has the digests of all tensors, is another one too.
  EXPECT_GE(base.at("bytes_sent").get<std::uint64_t>(), different);
  EXPECT_LT(proxy_.passed(Direction::up), different + 3 * kTalk);
  EXPECT_EQ(base.at("blobs").at("mounted"), 0);

  proxy_.reset();
  const nlohmann::json elsewhere = run_json({"push", "pocket-base", target("another/place")});
  EXPECT_EQ(elsewhere.at("blobs").at("mounted"), elsewhere.at("blobs").at("all"));
  EXPECT_EQ(elsewhere.at("bytes_sent"), 0);
  EXPECT_LT(proxy_.passed(Direction::up), kTalk);
}

TEST_F(RegistryTransfers, fetch_only_what_is_missing) {
  import("pocket-turbo");
  import("pocket-base");
  run_json({"push", "pocket-turbo", target("turbo")});
  run_json({"push", "pocket-base", target("base")});
  run_json({"pull", target("turbo"), "--home", "other"});
  proxy_.reset();
  EXPECT_EQ(run_json({"pull", target("turbo"), "--home", "other"}).at("bytes_fetched"), 0);
  EXPECT_LT(proxy_.passed(Direction::down), kTalk);
  const std::uint64_t different = difference("pocket-base", "pocket-turbo");
  proxy_.reset();
  run_json({"pull", target("base"), "--home", "other"});
  EXPECT_LT(proxy_.passed(Direction::down), different + 3 * kTalk);
}

TEST_F(RegistryTransfers, that_were_killed_while_sending_keep_what_the_registry_has) {
  const std::string digest = import("pocket-turbo");
  const std::uint64_t total =
      run_json({"push", "pocket-turbo", at(registry_.address(), "measure")}).at("bytes");
  fs::remove_all(root_ / "home/.local/share/roundhouse/cache");  // so that nothing is mounted
  std::promise<pid_t> started;
  proxy_.cut_after(Direction::up, total * 3 / 4, [&] { ::kill(started.get_future().get(), SIGKILL); });
  Running running =
      start({"push", "pocket-turbo", target("turbo"), "--parallel", "1", "--chunk-size", "1MiB"});
  started.set_value(running.pid());
  EXPECT_EQ(running.wait().status, 128 + SIGKILL);
  const nlohmann::json again =
      run_json({"push", "pocket-turbo", target("turbo"), "--parallel", "1", "--chunk-size", "1MiB"});
  EXPECT_GT(again.at("blobs").at("there"), 0);
  // docker-registry gives up an upload that is cut within a chunk: that one file travels again.
  std::uint64_t largest = 0;
  const nlohmann::json all = files("pocket-turbo");
  for (const auto& file : all)
    largest = std::max(largest, file.at("bytes").get<std::uint64_t>());
  EXPECT_LT(proxy_.passed(Direction::up), total + largest + 2 * kTalk);
  run_json({"pull", target("turbo"), "--home", "other"});
  expect_whole("other", "turbo", digest);
}

TEST_F(RegistryTransfers, that_were_killed_while_receiving_go_on) {
  const std::string digest = import("pocket-turbo");
  const std::uint64_t total = run_json({"push", "pocket-turbo", target("turbo")}).at("bytes");
  std::promise<pid_t> started;
  proxy_.cut_after(Direction::down, total * 3 / 4, [&] { ::kill(started.get_future().get(), SIGKILL); });
  Running running = start({"pull", target("turbo"), "--home", "other"});
  started.set_value(running.pid());
  EXPECT_EQ(running.wait().status, 128 + SIGKILL);
  EXPECT_TRUE(is_empty("other"));
  const std::uint64_t kept =
      bytes_beneath(work() / "other/cache/downloads") + bytes_beneath(work() / "other/blobs/sha256");
  EXPECT_GT(kept, total / 4);
  proxy_.reset();
  const nlohmann::json pulled = run_json({"pull", target("turbo"), "--home", "other"});
  EXPECT_EQ(pulled.at("bytes_fetched").get<std::uint64_t>(), total - kept);
  EXPECT_LT(proxy_.passed(Direction::down), total - kept + kTalk);
  expect_whole("other", "turbo", digest);
}

TEST_F(RegistryTransfers, that_are_cut_go_on_by_themselves) {
  const std::string digest = import("pocket-turbo");
  proxy_.cut_after(Direction::up, 5'000'000);
  const std::uint64_t total = run_json({"push", "pocket-turbo", target("turbo")}).at("bytes");
  proxy_.reset();
  proxy_.cut_after(Direction::down, 5'000'000);
  run_json({"pull", target("turbo"), "--home", "other"});
  expect_whole("other", "turbo", digest);
  EXPECT_LT(proxy_.passed(Direction::down), total + (8 << 20)) << "no more than was on the way twice";
}

TEST_F(RegistryTransfers, of_two_at_once_agree) {
  const std::string digest = import("pocket-turbo");
  Running one = start({"push", "pocket-turbo", target("turbo"), "--chunk-size", "256KiB"});
  Running two = start({"push", "pocket-turbo", target("turbo"), "--chunk-size", "256KiB"});
  EXPECT_EQ(one.wait().status, 0);
  EXPECT_EQ(two.wait().status, 0);
  Running three = start({"pull", target("turbo"), "--home", "other"});
  Running four = start({"pull", target("turbo"), "--home", "other", "--name", "second"});
  EXPECT_EQ(three.wait().status, 0);
  EXPECT_EQ(four.wait().status, 0);
  expect_whole("other", "turbo", digest);
  expect_whole("other", "second", digest);
}

TEST_F(RegistryTransfers, live_through_gc) {
  const std::string digest = import("pocket-turbo");
  run_json({"push", "pocket-turbo", target("turbo")});
  Running pull = start({"pull", target("turbo"), "--home", "other", "--parallel", "1"});
  do {
    run_json({"gc", "--home", "other"});
  } while (!pull.ended_within(std::chrono::milliseconds(0)));
  EXPECT_EQ(pull.wait().status, 0);
  run_json({"gc", "--home", "other"});
  expect_whole("other", "turbo", digest);
}

}  // namespace
}  // namespace roundhouse::test
