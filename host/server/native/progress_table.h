// SPDX-License-Identifier: Apache-2.0
// How far each generation is, for clients that ask on another connection, and for a while after its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace roundhouse::host {

// Whether it is a UUID in the usual form: 8-4-4-4-12 hexadecimal digits.
bool is_uuid(const std::string& text);
std::string random_uuid();  // version 4

enum class ProgressState { generating, completed, error, cancelled, expired };

struct ProgressRecord {
  std::string id;
  double progress = 0;  // 0 to 100, never falling
  ProgressState state = ProgressState::generating;
  std::string message;
  std::uint32_t current_step = 0, total_steps = 0;
  std::optional<double> eta_seconds, seconds_per_step;  // of a running one, once three steps are done
  std::uint32_t width = 0, height = 0;
  double started = 0, changed = 0, ended = 0;  // seconds since 1970; ended: 0 = not yet
  double expires = 0;                          // when it is kept no longer; 0 = not yet known
};

nlohmann::ordered_json progress_json(const ProgressRecord& record, double now);

// All functions may be called from any thread.
class ProgressTable {
 public:
  static constexpr double kKept = 10, kErrorKept = 30, kGrace = 5;  // seconds after the end

  // `now`: seconds since 1970.
  explicit ProgressTable(std::function<double()> now);

  // A generation at work. `cancel` is called at most until `end`; it may be called under a lock and returns
  // at once. Throws an HttpError of 409 where the id is in use.
  void begin(const std::string& id, std::function<void()> cancel);
  // Changes a record that runs; progress does not fall.
  void update(const std::string& id, const std::function<void(ProgressRecord&)>& change);
  void end(const std::string& id, ProgressState state, const std::string& message);

  // None when nobody knows the id, or no more. A record that is kept no longer is `expired` for a grace.
  std::optional<ProgressRecord> find(const std::string& id) const;
  enum class Cancelled { asked, unknown, ended };
  Cancelled cancel(const std::string& id);

  double now() const { return now_(); }

 private:
  struct Entry {
    ProgressRecord record;
    std::function<void()> cancel;
  };
  void forget_old();

  const std::function<double()> now_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace roundhouse::host
