// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/test_host.h"

#include <string_view>

namespace conformance {

TestHost::TestHost(bool newer)
    : record_(
          {0, RH_ABI_VERSION + (newer ? 1U : 0U), this, "roundhouse-conformance", "1.0.0", &get_extension},
          newer),
      log_({0, 0, &write}, newer),
      threads_({0, 0, &budget}, newer) {
}

bool TestHost::logged(const std::string& text) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& line : lines_) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

const void* TestHost::get_extension(const rh_host* host, const char* id) {
  auto& self = *static_cast<TestHost*>(host->data);
  if (id != nullptr && std::string_view(id) == RH_LOG_ID) return self.log_.get();
  if (id != nullptr && std::string_view(id) == RH_THREADS_ID) return self.threads_.get();
  return nullptr;
}

void TestHost::write(const rh_host* host, std::uint32_t, const char* category, const char* message) {
  auto& self = *static_cast<TestHost*>(host->data);
  const std::lock_guard lock(self.mutex_);
  self.lines_.push_back(std::string(category == nullptr ? "" : category) + ": " +
                        (message == nullptr ? "" : message));
}

std::uint32_t TestHost::budget(const rh_host*) {
  return thread_budget;
}

}  // namespace conformance
