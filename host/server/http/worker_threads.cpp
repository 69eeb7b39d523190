// SPDX-License-Identifier: Apache-2.0
// Threads that come when there is work and go when there is none.
#include "host/server/http/worker_threads.h"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace roundhouse::host::http {
namespace {

constexpr std::chrono::seconds kIdle{2};
constexpr std::size_t kMany = 4;

}  // namespace

WorkerThreads::~WorkerThreads() {
  std::list<std::thread> all;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return threads_.empty(); });
    all.splice(all.end(), ended_);
  }
  for (std::thread& thread : all)
    thread.join();
}

bool WorkerThreads::submit(std::function<void()> job) {
  join_ended();
  const std::lock_guard lock(mutex_);
  if (stopping_ || jobs_.size() >= waiting_) return false;
  if (jobs_.size() >= idle_ && staying_ < most_) {
    try {
      threads_.emplace_back([this] { work(); });
      peak_ = std::max(peak_, ++staying_);
    } catch (const std::system_error&) {
      if (staying_ == 0) return false;
    }
  }
  jobs_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

void WorkerThreads::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    const bool woken = changed_.wait_for(lock, kIdle, [&] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (!jobs_.empty()) {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
      continue;
    }
    if (stopping_ || !woken) break;
  }
  leave(lock);
}

// Those that went before are joined here: until somebody does, their stacks are not given back.
void WorkerThreads::leave(std::unique_lock<std::mutex>& lock) {
  const auto self = std::find_if(threads_.begin(), threads_.end(), [](const std::thread& thread) {
    return thread.get_id() == std::this_thread::get_id();
  });
  std::list<std::thread> before;
  before.splice(before.end(), ended_);
  --staying_;
  lock.unlock();
  for (std::thread& thread : before)
    thread.join();
  lock.lock();
  // A whole crowd may be here at once: the last of it is the one beside which no other is about to end.
  const bool last = threads_.size() - staying_ == 1 && staying_ <= 1 && idle_ >= staying_;
  if (last && peak_ >= kMany && !stopping_) {
    peak_ = 0;
    lock.unlock();
    rested_();
    lock.lock();
  }
  ended_.splice(ended_.end(), threads_, self);
  changed_.notify_all();
}

void WorkerThreads::join_ended() {
  std::list<std::thread> ended;
  {
    const std::lock_guard lock(mutex_);
    ended.splice(ended.end(), ended_);
  }
  for (std::thread& thread : ended)
    thread.join();
}

}  // namespace roundhouse::host::http
