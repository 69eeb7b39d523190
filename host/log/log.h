// SPDX-License-Identifier: Apache-2.0
// The program's log: JSON lines with a category, to a file or standard error.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace roundhouse::host {

// Levels as in ext/log.h (RH_LOG_*). Thread-safe. A log that was opened and then cannot be
// written fails no request.
class Log {
 public:
  struct Options {
    std::optional<std::filesystem::path> file;  // appended; none = standard error
    std::uint32_t level = 3;                    // lowest level written
    bool json = true;                           // JSON lines, else "[GEN][engine] text"
  };
  // Throws IO_ERROR for a file that cannot be opened; missing directories are not made.
  explicit Log(const Options& options);
  ~Log();

  // From now on lines go to the file that has the name now, where one was moved away (as logrotate does).
  // Where it cannot be opened, they go on into the old one.
  void reopen();

  // One line: time, level, category ("pipeline", "weights", "io", "engine", ...), message and the members of
  // `fields`. Prompts only when the user asked for them: callers see to that.
  void write(std::uint32_t level, const std::string& category, const std::string& message);
  void write(std::uint32_t level, const std::string& category, const std::string& message,
             const nlohmann::json& fields);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace roundhouse::host
