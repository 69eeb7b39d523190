// SPDX-License-Identifier: Apache-2.0
// What the daemon still holds when a crowd has left.
#include <fstream>
#include <thread>

#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

// Bytes of the process that no file stands behind.
std::uint64_t anonymous_bytes(pid_t process) {
  std::ifstream stream("/proc/" + std::to_string(process) + "/smaps_rollup");
  for (std::string word; stream >> word;) {
    std::uint64_t kibibytes = 0;
    if (word == "Anonymous:" && stream >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

using Rest = ServedProgram;

TEST_F(Rest, gives_back_the_memory_of_a_crowd_that_has_left) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps what is freed";
#endif
  constexpr int kClients = 300;
  constexpr std::uint64_t kAllowed = std::uint64_t{8} << 20;
  const Running running = serve({"--queue", "1000"});
  const auto draw = [&](int side) { return ask(port(), "POST", "/generate", test_card(side).dump()).status; };
  ASSERT_EQ(draw(256), 200);
  const std::uint64_t before = anonymous_bytes(running.pid());
  std::vector<std::thread> crowd;
  std::atomic<int> served{0};
  crowd.reserve(kClients);
  for (int i = 0; i < kClients; ++i)
    crowd.emplace_back([&] { served += draw(256) == 200 ? 1 : 0; });
  std::uint64_t most = 0;
  while (served < kClients / 2)
    most = std::max(most, anonymous_bytes(running.pid()));
  for (std::thread& client : crowd)
    client.join();
  EXPECT_EQ(served, kClients);
  EXPECT_GT(most, before + kAllowed) << "there was nothing to give back";
  EXPECT_TRUE(becomes_true([&] { return anonymous_bytes(running.pid()) < before + kAllowed; }))
      << before << " bytes before, " << most << " meanwhile, " << anonymous_bytes(running.pid()) << " after";
}

}  // namespace
}  // namespace roundhouse::test
