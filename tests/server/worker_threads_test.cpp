// SPDX-License-Identifier: Apache-2.0
// Threads that end all at once, as those of a crowd do.
#include "host/server/http/worker_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <thread>

namespace roundhouse::test {
namespace {

using host::http::WorkerThreads;

// Jobs that wait for each other, so that each has a thread of its own and all fall idle in the same moment.
void crowd(WorkerThreads& threads, int clients) {
  const auto all = std::make_shared<std::latch>(clients);
  for (int i = 0; i < clients; ++i)
    ASSERT_TRUE(threads.submit([all] { all->arrive_and_wait(); }));
  all->wait();
}

TEST(WorkerThreads, RestOnceWhenACrowdEndsAllAtOnce) {
  for (int round = 0; round < 3; ++round) {
    std::atomic<int> rested{0};
    WorkerThreads threads(64, 64, [&] { ++rested; });
    crowd(threads, 64);
    for (int i = 0; i < 400 && rested == 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(rested, 1);
  }
}

TEST(WorkerThreads, TakeAJobWhileAllOthersAreAboutToEnd) {
  // The last of the crowd is held in `rested`: it is a thread still, but no longer one that takes jobs.
  std::atomic<bool> resting{false}, done{false};
  WorkerThreads threads(4, 4, [&] {
    resting = true;
    while (!done)
      std::this_thread::yield();
  });
  crowd(threads, 4);
  while (!resting)
    std::this_thread::yield();
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(threads.submit([&] { done = true; }));
  while (!done)
    std::this_thread::yield();
}

}  // namespace
}  // namespace roundhouse::test
