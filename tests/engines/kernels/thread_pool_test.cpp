// SPDX-License-Identifier: Apache-2.0
#include "engines/threading/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace engines {
namespace {

TEST(ThreadPool, hands_the_exception_of_a_piece_to_the_caller) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    try {
      pool.parallel_for(100, [](std::int64_t piece, int) {
        if (piece == 37) throw std::runtime_error("piece 37");
      });
      ADD_FAILURE() << "nothing was thrown with " << threads << " threads";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "piece 37");
    }
  }
}

TEST(ThreadPool, works_on_after_an_exception) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.parallel_for(8, [](std::int64_t, int) { throw 1; }), int);
  std::atomic<int> done{0};
  pool.parallel_for(8, [&](std::int64_t, int) { ++done; });
  EXPECT_EQ(done, 8);
}

TEST(ThreadPool, counts_the_caller_as_one_of_its_threads) {
  EXPECT_EQ(ThreadPool(-3).threads(), 1);
  EXPECT_EQ(ThreadPool(0).threads(), 1);
  EXPECT_EQ(ThreadPool(1).threads(), 1);
  EXPECT_EQ(ThreadPool(5).threads(), 5);
}

TEST(ThreadPool, runs_every_piece_exactly_once) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (const std::int64_t pieces : {0, 1, 2, 3, 7, 64, 1001}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(pieces));
      pool.parallel_for(pieces, [&](std::int64_t piece, int) { ++runs[piece]; });
      EXPECT_THAT(runs, testing::Each(testing::Eq(1))) << threads << " threads, " << pieces << " pieces";
    }
  }
}

TEST(ThreadPool, has_finished_every_piece_when_a_loop_returns) {
  ThreadPool pool(4);
  std::vector<std::int64_t> values(6);
  for (std::int64_t round = 1; round <= 20000; ++round) {
    pool.parallel_for(6, [&](std::int64_t piece, int) {
      // Time enough for the others to come by.
      const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(500);
      while (std::chrono::steady_clock::now() < end) {
      }
      values[piece] = round * piece;
    });
    for (std::int64_t piece = 0; piece < 6; ++piece)
      ASSERT_EQ(values[piece], round * piece) << "round " << round;
  }
}

TEST(ThreadPool, gives_pieces_that_overlap_different_thread_numbers) {
  ThreadPool pool(3);
  std::vector<std::atomic<bool>> busy(3);
  std::atomic<bool> shared{false};
  pool.parallel_for(60, [&](std::int64_t, int thread) {
    ASSERT_GE(thread, 0);
    ASSERT_LT(thread, 3);
    if (busy[thread].exchange(true)) shared = true;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    busy[thread] = false;
  });
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, uses_all_of_its_threads) {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  pool.parallel_for(2, [&](std::int64_t, int) {
    ++inside;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (inside < 2 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    if (inside == 2) met = true;
  });
  EXPECT_TRUE(met);
}

TEST(ThreadPool, runs_a_loop_inside_a_piece_serially_on_the_same_thread) {
  ThreadPool pool(3);
  std::atomic<int> sum{0};
  pool.parallel_for(10, [&](std::int64_t, int outer) {
    const auto id = std::this_thread::get_id();
    pool.parallel_for(10, [&](std::int64_t, int inner) {
      EXPECT_EQ(inner, outer);
      EXPECT_EQ(std::this_thread::get_id(), id);
      ++sum;
    });
  });
  EXPECT_EQ(sum, 100);
}

TEST(ThreadPool, hands_on_the_exception_of_a_loop_inside_a_piece) {
  ThreadPool pool(2);
  EXPECT_THROW(pool.parallel_for(4,
                                 [&](std::int64_t, int) {
                                   pool.parallel_for(4,
                                                     [](std::int64_t, int) { throw std::logic_error("x"); });
                                 }),
               std::logic_error);
}

TEST(ThreadPool, wakes_up_after_having_slept) {
  ThreadPool pool(4);
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::atomic<int> done{0};
    pool.parallel_for(16, [&](std::int64_t, int) { ++done; });
    EXPECT_EQ(done, 16);
  }
}

TEST(ThreadPool, can_be_made_and_destroyed_busy_or_idle) {
  for (int round = 0; round < 200; ++round) {
    ThreadPool pool(3);
    if (round % 2) pool.parallel_for(3, [](std::int64_t, int) {});
  }
}

}  // namespace
}  // namespace engines
