// SPDX-License-Identifier: Apache-2.0
// The functions behind rh_host: they believe no pointer and let no exception reach the plugin.
#include "host/loading/plugin_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/loading/text.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kCategoryBytes = 64;
constexpr std::size_t kMessageBytes = 8192;
constexpr double kLinesAtOnce = 200, kLinesPerSecond = 20;

// A category is a word of the plugin's author and not of a user: what looks like text is not taken for one.
std::string category_of(const char* text) {
  std::string category = cleaned_text(text, kCategoryBytes + 1);
  const bool word = !category.empty() && category.size() <= kCategoryBytes &&
                    std::all_of(category.begin(), category.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '-' || c == '_' || c == '.';
                    });
  return word ? category : "engine";
}

}  // namespace

PluginHost::PluginHost(std::uint32_t threads, PluginLog log)
    : threads_(std::max(threads, 1U)),
      log_(std::move(log)),
      lines_(kLinesAtOnce),
      log_extension_{sizeof(rh_host_log), 0, &write},
      threads_extension_{sizeof(rh_host_threads), 0, &budget},
      record_{sizeof(rh_host), RH_ABI_VERSION, this, "roundhouse", ROUNDHOUSE_VERSION, &get_extension} {
}

const PluginHost* PluginHost::self(const rh_host* host) {
  return host == nullptr ? nullptr : static_cast<const PluginHost*>(host->data);
}

const void* PluginHost::get_extension(const rh_host* host, const char* id) {
  const PluginHost* me = self(host);
  if (me == nullptr || id == nullptr) return nullptr;
  if (std::strcmp(id, RH_LOG_ID) == 0) return &me->log_extension_;
  if (std::strcmp(id, RH_THREADS_ID) == 0) return &me->threads_extension_;
  return nullptr;
}

void PluginHost::write(const rh_host* host, std::uint32_t level, const char* category, const char* message) {
  const PluginHost* me = self(host);
  if (me == nullptr) return;
  const Allowance allowance = me->allow_line();
  if (!allowance.granted) return;
  try {
    if (allowance.left_out > 0) {
      me->log(RH_LOG_WARNING, "engine",
              fmt::format("the engine logs too fast: {} lines were left out", allowance.left_out));
    }
    me->log(std::clamp<std::uint32_t>(level, RH_LOG_DEBUG, RH_LOG_ERROR), category_of(category),
            cleaned_text(message, kMessageBytes));
  } catch (...) {  // no memory for a log line: the plugin goes on without it
  }
}

PluginHost::Allowance PluginHost::allow_line() const noexcept {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> since = now - counted_;
  counted_ = now;
  lines_ = std::min(kLinesAtOnce, lines_ + since.count() * kLinesPerSecond);
  if (lines_ < 1) {
    ++left_out_;
    return {};
  }
  lines_ -= 1;
  return {true, std::exchange(left_out_, 0)};
}

std::uint32_t PluginHost::budget(const rh_host* host) {
  const PluginHost* me = self(host);
  return me == nullptr ? 1 : me->threads_;
}

void PluginHost::log(std::uint32_t level, const std::string& category,
                     const std::string& message) const noexcept {
  if (!log_) return;
  try {
    log_(level, category, message);
  } catch (...) {  // a log that fails never fails a request
  }
}

}  // namespace roundhouse::host
