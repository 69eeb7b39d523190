// SPDX-License-Identifier: Apache-2.0
// A few threads that share the pieces of one loop at a time; made for the thousands of short loops of a step.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace engines {

// Threads that find no work spin for a few microseconds and then sleep, so that a loop that follows another
// starts at once and an idle pool costs nothing.
//
// Who runs which piece is chance. Results must not depend on it: cut the pieces by shape alone, never by the
// number of threads, and let no two pieces write the same memory.
class ThreadPool {
 public:
  // `threads` counts the caller of parallel_for; less than 1 means 1. Throws std::system_error if a thread
  // cannot be started.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(piece, thread) once for each piece in 0..pieces-1 and returns when all are done. `thread` is
  // in 0..threads()-1 and differs between calls that overlap. The first exception of a piece is rethrown
  // here; pieces not yet begun are then left out. Called from inside a piece of this pool, it runs serially.
  // Only one thread outside of the pool may be in here at a time.
  template <class Body>
  void parallel_for(std::int64_t pieces, const Body& body) {
    run(pieces, {[](const void* context, std::int64_t piece, int thread) {
                   (*static_cast<const Body*>(context))(piece, thread);
                 },
                 &body});
  }

 private:
  struct Loop {
    void (*call)(const void* context, std::int64_t piece, int thread) = nullptr;
    const void* context = nullptr;
  };

  void run(std::int64_t pieces, Loop loop);
  void work(int thread);
  void claim_pieces(int thread);
  void keep_exception();

  bool join_loop(std::uint64_t& seen);
  void leave_loop();
  void wait_for_change(std::uint64_t seen);
  void wake_all();

  // What the threads tell each other: how many loops there have been, whether the present one may still be
  // joined, and how many workers are inside.
  static constexpr std::uint64_t kOneLoop = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kOpen = std::uint64_t{1} << 31;
  static constexpr std::uint64_t kInside = kOpen - 1;
  alignas(64) std::atomic<std::uint64_t> state_{0};
  alignas(64) std::atomic<std::int64_t> next_{0};
  alignas(64) std::int64_t pieces_ = 0;
  Loop loop_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stop_{false};
  std::exception_ptr exception_;  // under mutex_
  std::vector<std::jthread> workers_;
};

}  // namespace engines
