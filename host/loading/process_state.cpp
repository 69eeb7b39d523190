// SPDX-License-Identifier: Apache-2.0
// Reads, compares and repairs the state of the process.
#include "host/loading/process_state.h"

#include <fmt/format.h>
#include <unistd.h>

#include <clocale>
#include <filesystem>
#include <system_error>

namespace roundhouse::host {

ProcessState ProcessState::now() {
  ProcessState state;
  std::error_code nameless;
  state.directory_ = std::filesystem::current_path(nameless).string();
  if (const char* locale = std::setlocale(LC_ALL, nullptr)) state.locale_ = locale;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    state.environment_.emplace_back(*entry);
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, nullptr, &state.signals_[static_cast<std::size_t>(number)]);
  return state;
}

std::vector<std::string> ProcessState::restore() const {
  const ProcessState after = now();
  std::vector<std::string> changes;
  if (after.directory_ != directory_) {
    changes.emplace_back("the working directory");
    std::error_code gone;
    std::filesystem::current_path(directory_, gone);
  }
  if (after.locale_ != locale_) {
    changes.emplace_back("the locale");
    std::setlocale(LC_ALL, locale_.c_str());
  }
  if (after.environment_ != environment_) changes.emplace_back("the environment");
  for (int number = 1; number < NSIG; ++number) {
    const auto& before = signals_[static_cast<std::size_t>(number)];
    const auto& current = after.signals_[static_cast<std::size_t>(number)];
    if (current.sa_handler == before.sa_handler && current.sa_flags == before.sa_flags) continue;
    changes.push_back(fmt::format("the handler of signal {}", number));
    ::sigaction(number, &before, nullptr);
  }
  return changes;
}

}  // namespace roundhouse::host
