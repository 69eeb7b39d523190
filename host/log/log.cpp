// SPDX-License-Identifier: Apache-2.0
// Lines of the program's log; spdlog does the writing and the locking.
#include "host/log/log.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "host/log/reason.h"
#include "host/log/terminal_text.h"
#include "host/text/json_text.h"
#include "roundhouse/error.hpp"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

const char* level_name(std::uint32_t level) {
  switch (level) {
    case RH_LOG_DEBUG:
      return "debug";
    case RH_LOG_INFO:
      return "info";
    case RH_LOG_WARNING:
      return "warning";
    default:
      return "error";
  }
}

// RFC 3339, UTC, milliseconds: 2026-01-31T12:00:00.123Z
std::string timestamp() {
  using std::chrono::duration_cast;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(milliseconds % 1000));
  return std::string(text, length) + fraction;
}

// Text that came from outside may be broken UTF-8; a log line is written all the same.
std::string dump(const Json& json) {
  return json_text(json);
}

std::string json_line(std::uint32_t level, const std::string& category, const std::string& message,
                      const nlohmann::json& fields) {
  Json line;
  line["time"] = timestamp();
  line["level"] = level_name(level);
  line["category"] = category;
  line["msg"] = message;
  if (fields.is_object()) {
    for (const auto& [key, value] : fields.items()) {
      // The four above are the line's own: a field of that name would replace them.
      line[line.contains(key) ? "field_" + key : key] = value;
    }
  }
  return dump(line);
}

std::string text_line(std::uint32_t level, const std::string& category, const std::string& message,
                      const nlohmann::json& fields) {
  std::string line = "[GEN][" + category + "] ";
  if (level >= RH_LOG_WARNING) line += std::string(level_name(level)) + ": ";
  line += message;
  if (fields.is_object()) {
    for (const auto& [key, value] : fields.items()) {
      line += " " + key + "=" + (value.is_string() ? value.get<std::string>() : dump(value));
    }
  }
  return line;
}

// spdlog would make the missing directories of a mistyped name, and has no words of ours for what fails.
void check_file(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw Error(RH_IO_ERROR, "log file '" + file.string() + "': " + reason(errno));
  close(descriptor);
}

std::shared_ptr<spdlog::sinks::sink> open_sink(const std::optional<std::filesystem::path>& file) {
  if (file) check_file(*file);
  try {
    if (file) return std::make_shared<spdlog::sinks::basic_file_sink_mt>(file->string());
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } catch (const spdlog::spdlog_ex&) {
    return std::make_shared<spdlog::sinks::null_sink_mt>();
  }
}

std::shared_ptr<spdlog::sinks::sink> make_sink(const std::optional<std::filesystem::path>& file) {
  auto sink = open_sink(file);
  sink->set_pattern(
      "%v");  // lines are made here; a logger hands its pattern to the sinks of its beginning only
  return sink;
}

}  // namespace

struct Log::State {
  Options options;
  std::shared_ptr<spdlog::sinks::dist_sink_mt> place = std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"roundhouse", place};

  explicit State(const Options& wanted) : options(wanted) {
    place->set_sinks({make_sink(wanted.file)});
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});
  }
};

Log::Log(const Options& options) : state_(std::make_unique<State>(options)) {
}
Log::~Log() = default;

void Log::reopen() {
  if (!state_->options.file) return;
  try {
    state_->place->set_sinks({make_sink(state_->options.file)});
  } catch (const Error& error) {
    write(RH_LOG_ERROR, "daemon", error.what());
  }
}

void Log::write(std::uint32_t level, const std::string& category, const std::string& message) {
  write(level, category, message, nlohmann::json::object());
}

void Log::write(std::uint32_t level, const std::string& category, const std::string& message,
                const nlohmann::json& fields) {
  if (level < state_->options.level) return;
  // One line stays one line, and a terminal sees nothing of somebody else's that would drive it.
  const std::string line = terminal_text(state_->options.json ? json_line(level, category, message, fields)
                                                              : text_line(level, category, message, fields));
  state_->logger.log(spdlog::level::info, spdlog::string_view_t(line));
}

}  // namespace roundhouse::host
