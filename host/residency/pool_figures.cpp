// SPDX-License-Identifier: Apache-2.0
// What a pool learns: what models take, which failures are certain, how long requests last.
#include <algorithm>

#include "host/residency/pool_core.h"
#include "host/residency/process_size.h"

namespace roundhouse::host {
namespace {

// Failures one after the other that make the next ones certain.
constexpr std::uint32_t kCertain = 3;
constexpr double kSmoothing = 0.2;  // weight of the newest request in the moving average

// Failures that another attempt may not meet.
bool may_pass(rh_status code) {
  return code == RH_ENGINE_CRASHED || code == RH_TIMEOUT || code == RH_OUT_OF_MEMORY || code == RH_INTERNAL;
}

}  // namespace

void PoolCore::surveyed(const Ticket& ticket, const Estimate* estimate) {
  const std::lock_guard lock(mutex_);
  schedule_.surveyed(ticket.key);
  if (estimate != nullptr) {
    std::uint64_t peak = estimate->held_memory_bytes;
    for (const StageEstimate& stage : estimate->stages)
      peak = std::max(peak, stage.peak_memory_bytes);
    schedule_.needs().note(ticket.key, *ticket.cost, estimate->held_memory_bytes, peak);
    for (const auto& [device, bytes] : peaks_by_device(*estimate)) {
      if (device != "cpu") schedule_.needs().note_device(ticket.key, device, bytes);
    }
  } else {
    schedule_.needs().note_unknowable(ticket.key);
  }
  dispatch();
}

void PoolCore::survey_failed(const Ticket& ticket) {
  const std::lock_guard lock(mutex_);
  schedule_.surveyed(ticket.key);
  dispatch();
}

void PoolCore::load_failed(const Ticket& ticket, const Error& error) {
  if (error.code() == RH_CANCELLED) return;
  const std::lock_guard lock(mutex_);
  ++statistics_.load_failures;
  if (may_pass(error.code()) && ++failures_[ticket.key] < kCertain) return;
  failures_.erase(ticket.key);
  for (const Id id : schedule_.waiting_for(ticket.key)) {
    schedule_.withdraw(id);
    tickets_.at(id)->error = error;
  }
  changed_.notify_all();
}

bool PoolCore::is_hopeless(const std::string& engine, const Error& error) {
  if (error.code() == RH_ENGINE_BROKEN || error.code() == RH_ENGINE_INCOMPATIBLE) return true;
  if (error.code() != RH_ENGINE_CRASHED && error.code() != RH_TIMEOUT) return false;
  const std::lock_guard lock(mutex_);
  return ++failures_[engine] >= kCertain;
}

void PoolCore::probed(const std::string& engine) {
  const std::lock_guard lock(mutex_);
  failures_.erase(engine);
}

void PoolCore::call_ended(const Ticket& ticket, std::uint64_t peak_bytes) {
  const std::lock_guard lock(mutex_);
  ++statistics_.calls;
  // Whose the memory was cannot be told where several were at work.
  if (!ticket.cost || !ticket.alone) return;
  const std::uint64_t held = process_size(slots_.at(ticket.worker)->client->process()).resident;
  if (held == 0 || peak_bytes == 0) return;
  schedule_.needs().note(ticket.key, *ticket.cost, held, std::max(held, peak_bytes));
}

void PoolCore::worked(double seconds) {
  const std::lock_guard lock(mutex_);
  statistics_.working_seconds += seconds;
  mean_seconds_ = mean_seconds_ == 0 ? seconds : (1 - kSmoothing) * mean_seconds_ + kSmoothing * seconds;
}

}  // namespace roundhouse::host
