// SPDX-License-Identifier: Apache-2.0
// Records of generations.
#include "host/server/native/progress_table.h"

#include <algorithm>
#include <random>

#include "host/server/http/http_error.h"

namespace roundhouse::host {
namespace {

const char* name_of(ProgressState state) {
  switch (state) {
    case ProgressState::generating:
      return "generating";
    case ProgressState::completed:
      return "completed";
    case ProgressState::error:
      return "error";
    case ProgressState::cancelled:
      return "canceled";
    case ProgressState::expired:
      return "expired";
  }
  return "";
}

template <typename T>
nlohmann::ordered_json nullable(const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

// A time that has not come is null.
nlohmann::ordered_json time(double seconds) {
  return seconds > 0 ? nlohmann::ordered_json(seconds) : nlohmann::ordered_json();
}

// Ids are compared without case.
std::string key_of(std::string id) {
  for (char& c : id) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return id;
}

}  // namespace

bool is_uuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-'
             : std::string_view("0123456789abcdefABCDEF").find(text[i]) == std::string::npos) {
      return false;
    }
  }
  return true;
}

std::string random_uuid() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string text = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (char& c : text) {
    if (c == 'x') c = kDigits[random() & 15];
    if (c == 'y') c = kDigits[8 + (random() & 3)];
  }
  return text;
}

nlohmann::ordered_json progress_json(const ProgressRecord& record, double now) {
  const bool running = record.ended == 0;
  const bool expired = record.state == ProgressState::expired;
  nlohmann::ordered_json json;
  json["generation_id"] = record.id;
  json["progress"] = record.progress;
  json["status"] = name_of(record.state);
  json["message"] = record.message;
  json["timestamp"] = record.changed;
  json["current_step"] = record.current_step;
  json["total_steps"] = record.total_steps;
  json["elapsed_seconds"] = (running ? now : record.ended) - record.started;
  json["eta_seconds"] = running ? nullable(record.eta_seconds) : nlohmann::ordered_json(0);
  json["seconds_per_it"] = nullable(record.seconds_per_step);
  json["width"] = record.width;
  json["height"] = record.height;
  json["steps"] = record.total_steps;
  json["expires_at"] = time(record.expires);
  json["expired_at"] = time(expired ? record.expires : 0);
  return json;
}

ProgressTable::ProgressTable(std::function<double()> now) : now_(std::move(now)) {
}

void ProgressTable::forget_old() {
  const double time = now_();
  std::erase_if(entries_, [&](const auto& entry) {
    const ProgressRecord& record = entry.second.record;
    return record.expires > 0 && time >= record.expires + kGrace;
  });
}

void ProgressTable::begin(const std::string& id, std::function<void()> cancel) {
  const std::lock_guard lock(mutex_);
  forget_old();
  const auto [entry, fresh] = entries_.try_emplace(key_of(id));
  if (!fresh) {
    throw http::HttpError(409, RH_INVALID_ARGUMENT, "generation_id: '" + id + "' is in use already");
  }
  entry->second.cancel = std::move(cancel);
  ProgressRecord& record = entry->second.record;
  record.id = id;
  record.message = "waiting";
  record.started = record.changed = now_();
}

void ProgressTable::update(const std::string& id, const std::function<void(ProgressRecord&)>& change) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key_of(id));
  if (entry == entries_.end() || entry->second.record.ended > 0) return;
  ProgressRecord& record = entry->second.record;
  const double before = record.progress;
  change(record);
  record.progress = std::clamp(record.progress, before, 100.0);
  record.changed = now_();
}

void ProgressTable::end(const std::string& id, ProgressState state, const std::string& message) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key_of(id));
  if (entry == entries_.end()) return;
  entry->second.cancel = nullptr;
  ProgressRecord& record = entry->second.record;
  record.state = state;
  record.message = message;
  if (state == ProgressState::completed) record.progress = 100;
  record.changed = record.ended = now_();
  record.expires = record.ended + (state == ProgressState::error ? kErrorKept : kKept);
}

std::optional<ProgressRecord> ProgressTable::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key_of(id));
  if (entry == entries_.end()) return std::nullopt;
  ProgressRecord record = entry->second.record;
  const double time = now_();
  if (record.expires == 0 || time < record.expires) return record;
  if (time >= record.expires + kGrace) return std::nullopt;
  record.state = ProgressState::expired;
  return record;
}

ProgressTable::Cancelled ProgressTable::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(key_of(id));
  const double time = now_();
  if (entry == entries_.end()) return Cancelled::unknown;
  const ProgressRecord& record = entry->second.record;
  if (record.expires > 0) return time < record.expires + kGrace ? Cancelled::ended : Cancelled::unknown;
  entry->second.cancel();
  return Cancelled::asked;
}

}  // namespace roundhouse::host
