// SPDX-License-Identifier: Apache-2.0
#include "host/loading/sink_watch.h"

#include <fmt/format.h>

#include "host/loading/plugin_error.h"
#include "host/loading/text.h"
#include "host/log/terminal_text.h"
#include "roundhouse/guard.hpp"

namespace roundhouse::host {

bool SinkWatch::refused() const {
  const std::lock_guard lock(mutex_);
  return refusal_ != nullptr;
}

void SinkWatch::rethrow_refusal() const {
  const std::lock_guard lock(mutex_);
  if (refusal_) std::rethrow_exception(refusal_);
}

void SinkWatch::rethrow_misuse() const {
  const std::lock_guard lock(mutex_);
  if (misuse_) std::rethrow_exception(misuse_);
}

rh_status SinkWatch::tell_refusal(rh_error* error) const {
  return guard(error, [this] { rethrow_refusal(); });
}

void SinkWatch::check_thread(const char* callback) const {
  if (std::this_thread::get_id() == thread_) return;
  throw broken(engine_, rule::kThread, std::string(callback) + " was called on another thread");
}

std::int32_t SinkWatch::ask_cancelled(std::int32_t (*cancelled)(void*), void* context) {
  if (refused()) return 1;
  std::int32_t stop = 1;
  keep_refusal([&] { stop = cancelled(context); });
  return stop;
}

void SinkWatch::check_taken(const char* what, rh_status status, const rh_error& refusal) {
  if (status == RH_OK) return;
  const std::string message = cleaned_text(refusal.message, sizeof refusal.message);
  throw Error(is_known(status) ? status : RH_INTERNAL,
              message.empty() ? std::string(what) + " was refused without a message" : message);
}

void check_view(const std::string& engine, const char* rule, const std::string& name,
                const rh_text_view& text, std::uint64_t longest) {
  if (text.bytes > longest) {
    throw broken(engine, rule,
                 fmt::format("{} has {} bytes, expected at most {}", name, text.bytes, longest));
  }
  if (text.bytes > 0 && text.text == nullptr)
    throw broken(engine, rule, fmt::format("{} is NULL, expected {} bytes", name, text.bytes));
  if (text.bytes > 0 && !is_utf8({text.text, text.bytes}))
    throw broken(engine, rule, name + " is not whole characters of UTF-8");
}

}  // namespace roundhouse::host
