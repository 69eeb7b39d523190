// SPDX-License-Identifier: Apache-2.0
// Threads for handlers: as many as there is work for, up to a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace roundhouse::host::http {

class WorkerThreads {
 public:
  // At most `threads` at once, and at most `waiting` jobs before they find one.
  // `rested` is called on one of them when many have been at work and all but one have gone.
  WorkerThreads(
      std::size_t threads, std::size_t waiting, std::function<void()> rested = [] {})
      : most_(threads), waiting_(waiting), rested_(std::move(rested)) {}
  // Waits for all jobs that were taken.
  ~WorkerThreads();
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // False when there is room for no more, or the system gives no thread for the first.
  bool submit(std::function<void()> job);

 private:
  void work();
  void leave(std::unique_lock<std::mutex>& lock);
  void join_ended();

  const std::size_t most_, waiting_;
  const std::function<void()> rested_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;  // to be joined
  std::size_t idle_ = 0;
  std::size_t staying_ = 0;  // threads that are not about to leave
  std::size_t peak_ = 0;     // of `staying_` since they rested
  bool stopping_ = false;
};

}  // namespace roundhouse::host::http
