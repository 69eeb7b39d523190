// SPDX-License-Identifier: Apache-2.0
// The pool's own threads, and what its owner asks of it.
#include <algorithm>

#include "host/residency/pool_core.h"
#include "host/residency/process_size.h"

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRequestsInterval{10};  // how long a cancel may go unnoticed
constexpr milliseconds kMemoryInterval{100};
constexpr milliseconds kIdleInterval{1000};

// Of the last look; whether it is time for another.
bool is_time(PoolCore::Clock::time_point& last, PoolCore::Clock::time_point now, milliseconds interval) {
  if (now - last < interval) return false;
  last = now;
  return true;
}

}  // namespace

// ---- the watcher ----

void PoolCore::watch() {
  Clock::time_point memory{}, idle{};
  std::unique_lock lock(mutex_);
  while (!finished_) {
    if (!tickets_.empty()) {
      watched_.wait_for(lock, kRequestsInterval);
    } else if (!slots_.empty()) {
      const Clock::time_point look = Clock::now() + kIdleInterval;
      watched_.wait_until(lock, std::min(schedule_.next_expiry().value_or(look), look));
    } else {
      watched_.wait(lock);
    }
    const Clock::time_point now = Clock::now();
    look_at_requests();
    if (is_time(memory, now, kMemoryInterval)) {
      look_at_memory();
      if (schedule_.waiting() > 0) dispatch();  // time may have given somebody precedence
    }
    if (is_time(idle, now, kIdleInterval)) look_at_idle();
    end_later(schedule_.expire(now), End::expiry);
  }
}

// Tells engines of cancelled requests, again and again: a cancel between two calls is lost.
void PoolCore::look_at_requests() {
  bool wake = false;
  for (const auto& [id, ticket] : tickets_) {
    if (!ticket->is_cancelled()) continue;
    if (ticket->surveyor != nullptr) ticket->surveyor->cancel();
    if (ticket->client != nullptr) ticket->client->cancel();
    const auto worker = schedule_.workers().find(ticket->worker);
    if (worker != schedule_.workers().end() && worker->second.state == ResidentState::loading) {
      const auto& loader = slots_.at(ticket->worker)->client;
      if (loader != nullptr) loader->cancel();
    }
    wake = wake || (ticket->surveyor == nullptr && ticket->worker == 0);
  }
  if (wake) changed_.notify_all();
}

// Ends workers that took what they were not given. Pages of mapped files do not count: the kernel takes them
// back when it needs them.
void PoolCore::look_at_memory() {
  for (const auto& [id, slot] : slots_) {
    if (slot->client == nullptr || slot->grown_to != 0) continue;
    const std::uint64_t size = process_size(slot->client->process()).anonymous;
    if (size <= slot->memory_limit) continue;
    slot->grown_to = size;
    ++statistics_.memory_kills;
    slot->client->kill();
  }
}

void PoolCore::look_at_idle() {
  std::vector<Id> dead;
  for (const auto& [id, worker] : schedule_.workers()) {
    if (worker.state == ResidentState::idle && !slots_.at(id)->client->alive()) dead.push_back(id);
  }
  for (const Id id : dead)
    schedule_.withdraw_worker(id);
  end_later(dead, End::crash);
}

// ---- the reaper ----

// Under the lock.
void PoolCore::end_later(const std::vector<Id>& workers, End why) {
  if (workers.empty()) return;
  for (const Id worker : workers)
    ends_.push_back({worker, why});
  changed_.notify_all();
}

void PoolCore::reap() {
  for (;;) {
    PendingEnd next;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !ends_.empty() || finished_; });
      if (ends_.empty()) return;
      next = ends_.front();
      ends_.pop_front();
    }
    end({next.worker}, next.why);
  }
}

// ---- the owner ----

std::size_t PoolCore::unload(const std::string& name) {
  std::size_t count = 0;
  std::vector<Id> idle;
  {
    const std::lock_guard lock(mutex_);
    idle = schedule_.unload(name, count);
  }
  end(idle, End::unload);
  return count;
}

std::size_t PoolCore::retire_engine(const std::string& engine) {
  const auto of_engine = [&](const Schedule::Worker& worker) {
    const auto slot = slots_.find(worker.id);
    return slot != slots_.end() && slot->second->engine == engine;
  };
  const std::lock_guard lock(mutex_);
  failures_.erase(engine);
  std::size_t count = 0;
  end_later(schedule_.unload(of_engine, count), End::unload);
  return count;
}

void PoolCore::pin(const std::string& name, bool pinned) {
  const std::lock_guard lock(mutex_);
  schedule_.pin(name, pinned);
  dispatch();
  watched_.notify_all();
}

void PoolCore::shutdown(milliseconds grace) {
  const Clock::time_point deadline = Clock::now() + grace;
  std::unique_lock lock(mutex_);
  stopping_ = true;
  const auto stop_if = [this](auto&& condition) {
    for (const auto& [id, ticket] : tickets_)
      if (condition(*ticket)) ticket->stopped.store(true);
    changed_.notify_all();
    watched_.notify_all();
  };
  stop_if([this](const Ticket& ticket) { return schedule_.position(ticket.id).has_value(); });
  changed_.wait_until(lock, deadline, [this] { return tickets_.empty(); });
  stop_if([](const Ticket&) { return true; });
  changed_.wait(lock, [this] { return tickets_.empty(); });
  lock.unlock();
  unload("");
  lock.lock();
  changed_.wait(lock, [this] { return slots_.empty(); });  // those that others are ending
}

Resident PoolCore::resident_of(const Schedule::Worker& worker) const {
  const Slot& slot = *slots_.at(worker.id);
  Resident resident;
  resident.name = worker.name;
  resident.engine = slot.engine;
  resident.device = slot.device;
  resident.architecture = slot.architecture;
  resident.digest = slot.digest;
  resident.has_model = slot.has_model;
  resident.state = worker.state;
  resident.estimated_bytes = schedule_.work_bytes(worker);
  if (slot.client != nullptr) {
    resident.process = slot.client->process();
    resident.resident_bytes = process_size(slot.client->process()).resident;
  }
  resident.pinned = schedule_.pinned(worker.name);
  if (worker.expires && !resident.pinned && worker.state == ResidentState::idle) {
    resident.expires_at =
        std::chrono::system_clock::now() +
        std::chrono::duration_cast<std::chrono::system_clock::duration>(*worker.expires - Clock::now());
  }
  resident.requests = slot.requests;
  resident.parallel = limits_.parallel;
  return resident;
}

std::vector<Resident> PoolCore::residents() const {
  std::vector<const Schedule::Worker*> order;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, worker] : schedule_.workers())
    order.push_back(&worker);
  std::ranges::stable_sort(order, std::greater<>(), [](const auto* worker) { return worker->last_used; });
  std::vector<Resident> all;
  all.reserve(order.size());
  for (const Schedule::Worker* worker : order)
    all.push_back(resident_of(*worker));
  return all;
}

PoolStatistics PoolCore::statistics() const {
  const std::lock_guard lock(mutex_);
  PoolStatistics now = statistics_;
  now.waiting = static_cast<std::uint32_t>(schedule_.waiting());
  for (const auto& [id, worker] : schedule_.workers()) {
    now.loading += worker.state == ResidentState::loading ? 1 : 0;
    now.active +=
        worker.state == ResidentState::busy ? static_cast<std::uint32_t>(worker.requests.size()) : 0;
    now.loaded += worker.state == ResidentState::busy || worker.state == ResidentState::idle ? 1 : 0;
  }
  now.memory_budget_bytes = limits_.memory_bytes;
  now.memory_estimated_bytes = schedule_.used_bytes();
  for (const auto& [id, slot] : slots_) {
    if (slot->client != nullptr) {
      now.memory_resident_bytes += process_size(slot->client->process()).resident;
    }
  }
  return now;
}

}  // namespace roundhouse::host
