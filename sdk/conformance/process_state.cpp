// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/process_state.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <clocale>
#include <filesystem>
#include <iterator>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace conformance {
namespace {

std::string signal_state(int number) {
  struct sigaction action {};
  if (sigaction(number, nullptr, &action) != 0) return {};
  const auto handler = reinterpret_cast<std::uintptr_t>(action.sa_handler);
  return fmt::format("{}/{}", handler, action.sa_flags);
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState state;
  state.directory = std::filesystem::current_path().string();
  state.locale = std::setlocale(LC_ALL, nullptr);
  for (char** entry = environ; *entry != nullptr; ++entry)
    state.environment.emplace_back(*entry);
  for (int number = 1; number < NSIG; ++number) {
    state.signals[static_cast<std::size_t>(number)] = signal_state(number);
  }
  const mode_t mask = umask(0);
  umask(mask);
  state.file_mask = mask;
  state.rounding = std::fegetround();
#if defined(__x86_64__)
  state.flush_to_zero = _mm_getcsr() & 0x8040U;
#endif
  return state;
}

std::vector<std::string> ProcessState::changes_since(const ProcessState& before) const {
  std::vector<std::string> changes;
  if (directory != before.directory) changes.emplace_back("the working directory");
  if (locale != before.locale) changes.emplace_back("the locale");
  if (environment != before.environment) changes.emplace_back("the environment");
  for (std::size_t number = 1; number < signals.size(); ++number) {
    if (signals[number] != before.signals[number]) {
      changes.push_back(fmt::format("the handler of signal {}", number));
    }
  }
  if (file_mask != before.file_mask) changes.emplace_back("the file mask");
  if (rounding != before.rounding) changes.emplace_back("the rounding mode");
  if (flush_to_zero != before.flush_to_zero) changes.emplace_back("the treatment of denormal numbers");
  return changes;
}

int thread_count() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

int settled_thread_count(int allowed) {
  int count = thread_count();
  for (int i = 0; i < 30 && count > allowed; ++i) {
    usleep(10000);
    count = thread_count();
  }
  return count;
}

}  // namespace conformance
