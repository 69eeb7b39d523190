// SPDX-License-Identifier: Apache-2.0
// Threads for handlers: as many as there is work for, up to a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace roundhouse::host::http {

class WorkerThreads {
 public:
  // At most `threads` at once, and at most `waiting` jobs before they find one.
  WorkerThreads(std::size_t threads, std::size_t waiting) : most_(threads), waiting_(waiting) {}
  // Waits for all jobs that were taken.
  ~WorkerThreads();
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // False when there is room for no more, or the system gives no thread for the first.
  bool submit(std::function<void()> job);

 private:
  void work();
  void join_ended();

  const std::size_t most_, waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;  // to be joined
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace roundhouse::host::http
