// SPDX-License-Identifier: Apache-2.0
// The host as a plugin sees it: a log and a thread budget.
#pragma once

#include <cstdint>
#include <string>

#include "roundhouse/base.h"
#include "roundhouse/error.hpp"
#include "roundhouse/ext/log.h"
#include "roundhouse/ext/threads.h"
#include "roundhouse/floor.hpp"

namespace roundhouse {

enum class LogLevel : std::uint32_t {
  debug = RH_LOG_DEBUG,
  info = RH_LOG_INFO,
  warning = RH_LOG_WARNING,
  error = RH_LOG_ERROR
};

// Borrows the rh_host given to init; valid until deinit. Copies refer to the same host. [any-thread]
class Host {
 public:
  // ENGINE_INCOMPATIBLE when the host is of another major version.
  explicit Host(const rh_host* host) : host_(&checked(host, "host")) {
    if (host->abi_version >> 16 != RH_ABI_MAJOR) {
      throw Error(RH_ENGINE_INCOMPATIBLE, "host speaks ABI " + std::to_string(host->abi_version >> 16) + "." +
                                              std::to_string(host->abi_version & 0xFFFFU) +
                                              ", this plugin speaks " + std::to_string(RH_ABI_MAJOR) + "." +
                                              std::to_string(RH_ABI_MINOR));
    }
    log_ = extension<rh_host_log>(RH_LOG_ID);
    threads_ = extension<rh_host_threads>(RH_THREADS_ID);
  }

  // Goes nowhere when the host keeps no log. Never a prompt. The strings are copied.
  void log(LogLevel level, const char* category, const std::string& message) const {
    if (log_ != nullptr) log_->write(host_, static_cast<std::uint32_t>(level), category, message.c_str());
  }

  // How many threads may be busy at once, the calling one included; 1 when the host does not say.
  std::uint32_t thread_budget() const {
    const std::uint32_t budget = threads_ == nullptr ? 1 : threads_->budget(host_);
    return budget == 0 ? 1 : budget;
  }

  // The host side of any extension, or nullptr when this host has none.
  template <class Record>
  const Record* extension(const char* id) const {
    const auto* record = static_cast<const Record*>(host_->get_extension(host_, id));
    return reaches_floor(record) ? record : nullptr;
  }

 private:
  const rh_host* host_;
  const rh_host_log* log_ = nullptr;
  const rh_host_threads* threads_ = nullptr;
};

}  // namespace roundhouse
