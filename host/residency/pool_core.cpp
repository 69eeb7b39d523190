// SPDX-License-Identifier: Apache-2.0
// Requests and workers behind one lock; workers start and end outside of it.
#include "host/residency/pool_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/residency/process_size.h"
#include "host/store/model_location.h"
#include "host/text/elapsed.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

// Models and options whose figures are remembered although nobody has them loaded.
constexpr std::size_t kRemembered = 256;

Error shutting_down() {
  return Error(RH_CANCELLED, "cancelled because the server is shutting down");
}

ClientOptions with_timeouts(ClientOptions options, const PoolLimits& limits) {
  options.timeouts.load = limits.load_timeout;
  options.timeouts.step = limits.silence_timeout;
  return options;
}

PoolLimits with_budget(PoolLimits limits) {
  if (limits.memory_bytes == 0) limits.memory_bytes = available_memory();
  limits.max_loaded = std::max(limits.max_loaded, 1U);
  limits.parallel = std::max(limits.parallel, 1U);
  return limits;
}

}  // namespace

PoolCore::PoolCore(SharedRegistry& registry, ClientOptions client, PoolLimits limits, ClientFactory factory)
    : registry_(registry),
      client_options_(with_timeouts(std::move(client), limits)),
      limits_(with_budget(std::move(limits))),
      factory_(std::move(factory)),
      schedule_(limits_),
      watcher_([this] { watch(); }),
      reaper_([this] { reap(); }) {
}

PoolCore::~PoolCore() {
  shutdown(std::chrono::milliseconds(0));
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
  watched_.notify_all();
  watcher_.join();
  reaper_.join();
}

std::unique_ptr<EngineClient> PoolCore::make_client(const Placement& placement,
                                                    const Registry& registry) const {
  return factory_(*placed_engine(placement, registry).manifest, client_options(placement, client_options_));
}

std::uint64_t PoolCore::memory_limit(const Placement& placement) const {
  const std::uint64_t own = placement.memory_limit_bytes;
  return own == 0 ? limits_.memory_bytes : std::min(own, limits_.memory_bytes);
}

// ---- the queue ----

// Under the lock, again and again whenever something has changed.
void PoolCore::dispatch() {
  const Clock::time_point now = Clock::now();
  while (std::optional<Schedule::Grant> grant = schedule_.next(now)) {
    Ticket& ticket = *tickets_.at(grant->request);
    ticket.worker = grant->worker;
    ticket.alone = true;
    if (grant->kind == Schedule::Kind::start) note_company(grant->worker);
    if (grant->kind == Schedule::Kind::load) {
      const Placement& placement = *ticket.placement;
      auto slot = std::make_unique<Slot>();
      slot->engine = placement.engine;
      slot->device = placement.device;
      slot->architecture = architecture_of(placement.model);
      slot->digest = ticket.digest;
      slot->has_model = placement.model.has_value();
      slot->memory_limit = memory_limit(placement);
      slots_[grant->worker] = std::move(slot);
    }
    ticket.grant = std::move(grant);
  }
  changed_.notify_all();
}

// Under the lock.
void PoolCore::note_company(Id worker) {
  const auto& requests = schedule_.workers().at(worker).requests;
  if (requests.size() < 2) return;
  for (const auto& [id, cost] : requests)
    tickets_.at(id)->alone = false;
}

// The files of a model that is not known yet; the disk is asked outside of the lock.
WeightFiles PoolCore::files_of(const Placement& placement) const {
  {
    const std::lock_guard lock(mutex_);
    if (schedule_.needs().knows(worker_key(placement))) return {};
  }
  return placement.model ? weight_files(model_directory(*placement.model)) : WeightFiles();
}

// Names what the ticket's plan needs, and makes it known. Under the lock.
void PoolCore::expect(Ticket& ticket, WeightFiles files) {
  ticket.key = worker_key(*ticket.placement);
  ticket.name = worker_name(*ticket.placement);
  NeedTable& needs = schedule_.needs();
  if (needs.knows(ticket.key)) return;
  if (needs.size() >= kRemembered) {
    std::set<std::string> used;
    for (const auto& [id, other] : tickets_)
      used.insert(other->key);
    for (const auto& [id, worker] : schedule_.workers())
      used.insert(worker.key);
    needs.forget_all_but(used);
    failures_.clear();
  }
  needs.expect(ticket.key, std::move(files));
}

void PoolCore::enter(Ticket& ticket) {
  WeightFiles files = files_of(*ticket.placement);
  const std::lock_guard lock(mutex_);
  expect(ticket, std::move(files));
  if (stopping_) throw shutting_down();
  ticket.id = schedule_.enqueue(ticket.key, ticket.name, ticket.cost);
  tickets_[ticket.id] = &ticket;
  dispatch();
  if (!ticket.grant && schedule_.waiting() > limits_.queue) {
    schedule_.withdraw(ticket.id);
    tickets_.erase(ticket.id);
    ++statistics_.refused;
    const double wait = std::ceil(mean_seconds() * static_cast<double>(schedule_.waiting()));
    throw QueueFull(limits_.queue == 0
                        ? std::string("all places are taken, and no request may wait")
                        : fmt::format("{} {} waiting already, at most {} may", limits_.queue,
                                      limits_.queue == 1 ? "request is" : "requests are", limits_.queue),
                    static_cast<std::uint32_t>(std::clamp(wait, 1.0, 600.0)));
  }
  watched_.notify_all();
}

void PoolCore::requeue(Ticket& ticket) {
  WeightFiles files = files_of(*ticket.placement);
  const std::lock_guard lock(mutex_);
  expect(ticket, std::move(files));
  schedule_.requeue(ticket.id, ticket.key, ticket.name, ticket.cost);
  dispatch();
}

// Seconds between two requests that leave the queue; 0 = not known.
double PoolCore::mean_seconds() const {
  return mean_seconds_ / std::max(1U, schedule_.active());
}

Schedule::Grant PoolCore::wait(Ticket& ticket, const std::function<void(const QueuedEvent&)>& queued) {
  std::optional<std::uint32_t> told;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (ticket.grant) return std::move(*std::exchange(ticket.grant, std::nullopt));
    if (ticket.error) throw *ticket.error;
    if (ticket.stopped.load()) throw shutting_down();
    if (ticket.cancelled.load()) throw Error(RH_CANCELLED, "cancelled while it waited for its turn");
    const std::optional<std::uint32_t> position = schedule_.position(ticket.id);
    if (queued && position != told) {
      told = position;
      const QueuedEvent event{position.value_or(0), mean_seconds() * (position.value_or(0) + 1)};
      lock.unlock();
      queued(event);
      lock.lock();
      continue;
    }
    changed_.wait(lock);
  }
}

void PoolCore::leave(Ticket& ticket) {
  std::optional<Schedule::Grant> unused;
  {
    const std::lock_guard lock(mutex_);
    schedule_.withdraw(ticket.id);
    unused = std::exchange(ticket.grant, std::nullopt);
    if (unused && unused->kind == Schedule::Kind::survey) schedule_.surveyed(ticket.key);
  }
  if (unused) end(unused->evicted, End::eviction);
  if (unused && unused->kind == Schedule::Kind::load) discard(ticket, End::unload);
  if (unused && unused->kind == Schedule::Kind::start) release(ticket, limits_.keep_alive, false);
  const std::lock_guard lock(mutex_);
  tickets_.erase(ticket.id);
  dispatch();
  watched_.notify_all();
}

// ---- workers ----

Slot& PoolCore::slot(Id worker) const {
  const std::lock_guard lock(mutex_);
  return *slots_.at(worker);
}

PoolCore::Joined PoolCore::join(Ticket& ticket) {
  std::unique_lock lock(mutex_);
  const Slot& slot = *slots_.at(ticket.worker);
  if (slot.client != nullptr && slot.client->alive()) {
    ticket.client = slot.client->beside();
    return Joined::client;
  }
  return revive(ticket, lock);
}

PoolCore::Joined PoolCore::rejoin(Ticket& ticket) {
  std::unique_lock lock(mutex_);
  ticket.client.reset();
  return revive(ticket, lock);
}

// The worker of the ticket is dead. Under the lock, which may be gone afterwards.
PoolCore::Joined PoolCore::revive(Ticket& ticket, std::unique_lock<std::mutex>& lock) {
  const Id worker = ticket.worker;
  if (schedule_.workers().at(worker).requests.size() == 1) {
    schedule_.loading(worker);
    lock.unlock();
    drop_client(worker, End::crash);
    return Joined::reload;
  }
  lock.unlock();
  discard(ticket, End::crash);
  requeue(ticket);
  return Joined::requeue;
}

void PoolCore::set_client(Id worker, std::unique_ptr<EngineClient> client) {
  const std::lock_guard lock(mutex_);
  slots_.at(worker)->client = std::move(client);
}

void PoolCore::begin_load(Id worker) {
  const std::lock_guard lock(mutex_);
  schedule_.loading(worker);
}

void PoolCore::set_surveyor(Ticket& ticket, EngineClient* client) {
  const std::lock_guard lock(mutex_);
  ticket.surveyor = client;
}

void PoolCore::opened(Ticket& ticket, OpenResult result, double seconds) {
  const std::lock_guard lock(mutex_);
  Slot& slot = *slots_.at(ticket.worker);
  slot.opened = std::move(result);
  slot.open = true;
  schedule_.opened(ticket.worker, slot.opened.capacity);
  ticket.client = slot.client->beside();
  failures_.erase(ticket.key);
  ++statistics_.loads;
  statistics_.load_seconds += seconds;
  dispatch();  // others may join
}

void PoolCore::drop_client(Id worker, End why) {
  std::unique_ptr<EngineClient> client;
  {
    const std::lock_guard lock(mutex_);
    Slot& slot = *slots_.at(worker);
    client = std::move(slot.client);
    if (why == End::crash) ++statistics_.crashes;
    if (why == End::eviction && slot.open) ++statistics_.evictions;
    if (why == End::expiry && slot.open) ++statistics_.expirations;
    if (slot.open) ++statistics_.unloads;
    slot.open = false;
    slot.grown_to = 0;
  }
  const Clock::time_point begin = Clock::now();
  client.reset();  // ends the process, and waits for it
  const std::lock_guard lock(mutex_);
  statistics_.unload_seconds += seconds_since(begin);
}

void PoolCore::end(const std::vector<Id>& workers, End why) {
  for (const Id worker : workers) {
    drop_client(worker, why);
    const std::lock_guard lock(mutex_);
    slots_.erase(worker);
    schedule_.remove(worker);
    dispatch();
  }
}

void PoolCore::discard(Ticket& ticket, End why) {
  const Id worker = ticket.worker;
  if (retire(ticket, why)) end({worker}, why);
}

// Takes the ticket off its worker, which takes no more. Whether it was the last.
bool PoolCore::retire(Ticket& ticket, End why) {
  const std::lock_guard lock(mutex_);
  ticket.client.reset();
  const Id worker = std::exchange(ticket.worker, 0);
  Slot& slot = *slots_.at(worker);
  slot.crashed = slot.crashed || why == End::crash;
  const bool last = schedule_.retire(worker, ticket.id);
  changed_.notify_all();
  return last;
}

void PoolCore::release(Ticket& ticket, KeepAlive keep, bool served) {
  const std::lock_guard lock(mutex_);
  ticket.client.reset();
  const Id worker = std::exchange(ticket.worker, 0);
  const Clock::time_point now = Clock::now();
  const Slot& slot = *slots_.at(worker);
  if (served) ++slots_.at(worker)->requests;
  if (schedule_.finish(worker, ticket.id, now, keep)) {
    end_later({worker}, slot.crashed ? End::crash : End::unload);
  }
  dispatch();
  end_later(schedule_.expire(now),
            End::expiry);  // those that nobody wants although they may be left at once
}

std::optional<Error> PoolCore::memory_verdict(Id worker) {
  const std::lock_guard lock(mutex_);
  const Slot& slot = *slots_.at(worker);
  if (slot.grown_to == 0) return std::nullopt;
  return Error(RH_OUT_OF_MEMORY,
               fmt::format("engine '{}' grew to {}, {} are allowed: its worker was ended", slot.engine,
                           human_bytes(slot.grown_to), human_bytes(slot.memory_limit)));
}

}  // namespace roundhouse::host
