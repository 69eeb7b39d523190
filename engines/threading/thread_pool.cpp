// SPDX-License-Identifier: Apache-2.0
#include "engines/threading/thread_pool.h"

#include <utility>

namespace engines {
namespace {

// The loop of which pool this thread is inside of, and as which thread of it.
thread_local const ThreadPool* t_pool = nullptr;
thread_local int t_thread = 0;

class InsideLoop {
 public:
  InsideLoop(const ThreadPool* pool, int thread) : pool_(t_pool), thread_(t_thread) {
    t_pool = pool;
    t_thread = thread;
  }
  ~InsideLoop() {
    t_pool = pool_;
    t_thread = thread_;
  }
  InsideLoop(const InsideLoop&) = delete;
  InsideLoop& operator=(const InsideLoop&) = delete;

 private:
  const ThreadPool* pool_;
  int thread_;
};

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Some tens of microseconds in all: longer than the serial stretches between two loops of a step, shorter
// than anybody would notice. The yields let others run where there are more threads than processors.
constexpr int kPauses = 2000;
constexpr int kYields = 20;

template <class Condition>
bool spin_until(const Condition& condition) {
  for (int i = 0; i < kPauses; ++i) {
    if (condition()) return true;
    pause();
  }
  for (int i = 0; i < kYields; ++i) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return condition();
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  try {
    for (int thread = 1; thread < threads; ++thread)
      workers_.emplace_back([this, thread] { work(thread); });
  } catch (...) {
    stop_ = true;
    wake_all();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  wake_all();
  workers_.clear();
}

void ThreadPool::run(std::int64_t pieces, Loop loop) {
  if (t_pool == this || pieces <= 1 || workers_.empty()) {
    const int thread = t_pool == this ? t_thread : 0;
    const InsideLoop inside(this, thread);
    for (std::int64_t piece = 0; piece < pieces; ++piece)
      loop.call(loop.context, piece, thread);
    return;
  }
  loop_ = loop;
  pieces_ = pieces;
  next_ = 0;
  state_.fetch_add(kOneLoop | kOpen);
  if (sleeping_ > 0) wake_all();
  claim_pieces(0);

  // All pieces are claimed. A worker that has not come by now need not; those inside are waited for.
  state_.fetch_and(~kOpen);
  const auto all_left = [this] { return (state_ & kInside) == 0; };
  if (!spin_until(all_left)) {
    std::unique_lock lock(mutex_);
    ++sleeping_;
    changed_.wait(lock, all_left);
    --sleeping_;
  }
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void ThreadPool::work(int thread) {
  std::uint64_t seen = 0;
  while (!stop_) {
    if (join_loop(seen)) {
      claim_pieces(thread);
      leave_loop();
    }
    wait_for_change(seen);
  }
}

void ThreadPool::claim_pieces(int thread) {
  const InsideLoop inside(this, thread);
  try {
    for (std::int64_t piece = next_++; piece < pieces_; piece = next_++)
      loop_.call(loop_.context, piece, thread);
  } catch (...) {
    keep_exception();
  }
}

void ThreadPool::keep_exception() {
  next_ = pieces_;
  const std::scoped_lock lock(mutex_);
  if (!exception_) exception_ = std::current_exception();
}

// Enters the present loop if it is open and newer than `seen`, the number of the last loop that this worker
// knows.
bool ThreadPool::join_loop(std::uint64_t& seen) {
  std::uint64_t state = state_;
  while ((state & kOpen) && state / kOneLoop != seen) {
    if (state_.compare_exchange_weak(state, state + 1)) {
      seen = state / kOneLoop;
      return true;
    }
  }
  return false;
}

void ThreadPool::leave_loop() {
  const std::uint64_t state = --state_;
  if ((state & (kInside | kOpen)) == 0 && sleeping_ > 0) wake_all();
}

void ThreadPool::wait_for_change(std::uint64_t seen) {
  const auto changed = [&] {
    const std::uint64_t state = state_;
    return stop_ || ((state & kOpen) && state / kOneLoop != seen);
  };
  if (spin_until(changed)) return;
  std::unique_lock lock(mutex_);
  ++sleeping_;
  changed_.wait(lock, changed);
  --sleeping_;
}

// Passing through the mutex makes sure that whoever is about to sleep either sees the new state or hears
// this.
void ThreadPool::wake_all() {
  { const std::scoped_lock lock(mutex_); }
  changed_.notify_all();
}

}  // namespace engines
