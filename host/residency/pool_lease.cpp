// SPDX-License-Identifier: Apache-2.0
// Waits, loads, works, and leaves everything in order whatever happens.
#include "host/residency/pool_lease.h"

#include <algorithm>

namespace roundhouse::host {
namespace {

double milliseconds_between(PoolCore::Clock::time_point from, PoolCore::Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Failures after which a worker is not to be trusted, or has to give its memory back.
bool spoils_worker(rh_status code) {
  return code == RH_ENGINE_BROKEN || code == RH_ENGINE_INTERNAL || code == RH_OUT_OF_MEMORY ||
         code == RH_TIMEOUT || code == RH_ENGINE_CRASHED;
}

template <typename Leave>
class AtExit {
 public:
  explicit AtExit(Leave leave) : leave_(std::move(leave)) {}
  ~AtExit() { leave_(); }
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;

 private:
  Leave leave_;
};

}  // namespace

PoolLease::PoolLease(PoolCore& core, const LeaseRequest& request, const std::atomic<bool>& cancelled,
                     const LeaseEvents& events, const LeaseWork& work)
    : core_(core),
      request_(request),
      events_(events),
      work_(work),
      registry_(*core.registry().snapshot()),
      ticket_(cancelled) {
  report_.placement = request.placement;
  ticket_.placement = &report_.placement;
  ticket_.digest = request.digest;
  ticket_.cost = request.cost;
}

LeaseReport PoolLease::run() {
  try {
    core_.enter(ticket_);
    const AtExit leave([this] { core_.leave(ticket_); });
    take_turns();
  } catch (const QueueFull&) {
    throw;  // counted as refused
  } catch (const Error& error) {
    core_.count([&](PoolStatistics& statistics) {
      ++(error.code() == RH_CANCELLED ? statistics.cancelled : statistics.failed);
    });
    throw;
  } catch (...) {
    core_.count([](PoolStatistics& statistics) { ++statistics.failed; });
    throw;
  }
  core_.count([](PoolStatistics& statistics) { ++statistics.served; });
  return std::move(report_);
}

void PoolLease::take_turns() {
  for (;;) {
    const Clock::time_point begin = Clock::now();
    const Schedule::Grant grant = core_.wait(ticket_, events_.queued);
    const double waited = milliseconds_between(begin, Clock::now());
    report_.waiting_milliseconds += waited;
    core_.count([&](PoolStatistics& statistics) { statistics.waiting_seconds += waited / 1000; });
    if (grant.kind == Schedule::Kind::survey) {
      survey();
    } else if (grant.kind == Schedule::Kind::refuse) {
      throw Error(RH_OUT_OF_MEMORY, grant.message, grant.hint);
    } else if (work(grant)) {
      return;
    }
  }
}

void PoolLease::check_cancelled() const {
  if (ticket_.is_cancelled()) throw Error(RH_CANCELLED, "cancelled before the engine had begun");
}

KeepAlive PoolLease::keep_alive() const {
  return request_.keep_alive.value_or(core_.limits().keep_alive);
}

ModelSource PoolLease::job() const {
  ModelSource job = open_job(report_.placement);
  job.memory_limit_bytes = core_.memory_limit(report_.placement);
  return job;
}

EngineClient& PoolLease::client() {
  return *ticket_.client;
}

EngineClient& PoolLease::loader() {
  return *core_.slot(ticket_.worker).client;
}

// ---- what it would take ----

// In a worker of its own, which is gone before there is room to be made. An engine that cannot even be asked
// will show why when it is loaded.
void PoolLease::survey() {
  std::optional<Estimate> estimate;
  try {
    check_cancelled();
    if (!request_.estimate) return core_.surveyed(ticket_, nullptr);
    const auto client = core_.make_client(report_.placement, registry_);
    core_.set_surveyor(ticket_, client.get());
    const AtExit done([this] { core_.set_surveyor(ticket_, nullptr); });
    estimate = request_.estimate(*client, job());
  } catch (const Error& error) {
    const bool final = error.code() == RH_CANCELLED || error.code() == RH_OUT_OF_MEMORY;
    if (!final) {
      core_.surveyed(ticket_, nullptr);
      return;
    }
    core_.survey_failed(ticket_);
    throw;
  } catch (...) {
    core_.survey_failed(ticket_);
    throw;
  }
  core_.surveyed(ticket_, &*estimate);
}

// ---- work ----

// True when the request is done; false when it is back in the queue.
bool PoolLease::work(const Schedule::Grant& grant) {
  bool fresh = grant.kind == Schedule::Kind::load;
  try {
    core_.end(grant.evicted, PoolCore::End::eviction);
    check_cancelled();
    if (!fresh) {
      const PoolCore::Joined joined = core_.join(ticket_);
      if (joined == PoolCore::Joined::requeue) return false;
      fresh = joined == PoolCore::Joined::reload;
    }
    for (bool again = true; again;) {
      if (fresh && !load()) return false;
      try {
        announce(!fresh);
        do_work();
        again = false;
      } catch (const Error& error) {
        if (!died_unnoticed(error, fresh)) throw;
        if (core_.rejoin(ticket_) == PoolCore::Joined::requeue) return false;
        fresh = true;
      }
    }
  } catch (const Error& error) {
    settle(error);
    throw;
  } catch (...) {
    settle(Error(RH_INTERNAL, "the caller's exception"));
    throw;
  }
  core_.release(ticket_, keep_alive(), true);
  return true;
}

// A worker that had died while it was idle: nothing came from it, so nothing is lost.
bool PoolLease::died_unnoticed(const Error& error, bool fresh) {
  return !fresh && calls_ == 0 && error.code() == RH_ENGINE_CRASHED && !client().was_heard() &&
         !core_.memory_verdict(ticket_.worker) && !ticket_.is_cancelled();
}

// After a failure: the worker is idle again, or gone. Throws instead of the error where more is known.
void PoolLease::settle(const Error& error) {
  if (ticket_.worker == 0) return;
  const Slot& slot = core_.slot(ticket_.worker);
  const std::optional<Error> verdict = core_.memory_verdict(ticket_.worker);
  const bool lives = slot.client != nullptr && slot.client->alive();
  if (slot.open && lives && !spoils_worker(error.code())) {
    core_.release(ticket_, keep_alive(), false);
    return;
  }
  const bool crashed = slot.client != nullptr && !lives && !verdict;
  core_.discard(ticket_, crashed ? PoolCore::End::crash : PoolCore::End::unload);
  if (verdict && error.code() != RH_CANCELLED) throw *verdict;
}

// Puts an open model into the slot. False when the engine cannot be used: the request is back in the queue
// for another.
bool PoolLease::load() {
  const Clock::time_point begin = Clock::now();
  core_.begin_load(ticket_.worker);
  if (events_.loading) events_.loading({report_.placement.engine, 0});
  try {
    core_.set_client(ticket_.worker, core_.make_client(report_.placement, registry_));
    if (!has_engine(loader())) return false;
    double told = 0;
    const auto follow = [&](const ProgressEvent& event) {
      if (!(event.fraction > told)) return;
      told = std::min(event.fraction, 1.0);
      if (events_.loading) events_.loading({report_.placement.engine, told});
    };
    check_cancelled();
    OpenResult opened = loader().open(job(), follow);
    const double took = milliseconds_between(begin, Clock::now());
    opened.load_milliseconds = took;
    report_.loading_milliseconds += took;
    core_.opened(ticket_, std::move(opened), took / 1000);
  } catch (const Error& error) {
    core_.load_failed(ticket_, core_.memory_verdict(ticket_.worker).value_or(error));
    throw;
  }
  return true;
}

// Loads the engine and holds its own word against the request.
bool PoolLease::has_engine(EngineClient& client) {
  const std::filesystem::path file = placed_engine(report_.placement, registry_).manifest_file;
  std::optional<Error> failure;
  try {
    check_cancelled();
    const EngineReport report = client.probe();
    core_.probed(report_.placement.engine);
    registry_.set_report(file, report);
    core_.registry().update([&](Registry& registry) { registry.set_report(file, report); });
    failure = placement_refusal(report_.placement, registry_);
  } catch (const Error& error) {
    if (error.code() == RH_CANCELLED) throw;
    failure = error;
    registry_.set_error(file, error);
    if (core_.is_hopeless(report_.placement.engine, error)) {
      core_.registry().update([&](Registry& registry) { registry.set_error(file, error); });
    }
  }
  if (!failure) return true;
  report_.notes.push_back(place_again(report_.placement, registry_, *failure));
  core_.discard(ticket_, client.alive() ? PoolCore::End::unload : PoolCore::End::crash);
  core_.requeue(ticket_);
  return false;
}

void PoolLease::announce(bool was_loaded) {
  report_.opened = core_.slot(ticket_.worker).opened;
  if (was_loaded) report_.opened.load_milliseconds = 0;
  report_.was_loaded = was_loaded;
  if (events_.loaded) events_.loaded(report_);
}

void PoolLease::do_work() {
  if (!work_) return;
  check_cancelled();
  const Clock::time_point begin = Clock::now();
  work_(*this);
  core_.worked(milliseconds_between(begin, Clock::now()) / 1000);
}

void PoolLease::call_ended(std::uint64_t peak_bytes) {
  ++calls_;
  core_.call_ended(ticket_, peak_bytes);
}

}  // namespace roundhouse::host
