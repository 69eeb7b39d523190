// SPDX-License-Identifier: Apache-2.0
// What `roundhouse doctor` looks at.
#include "host/cli/doctor_findings.h"

#include <fmt/format.h>
#include <langinfo.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <clocale>
#include <nlohmann/json.hpp>
#include <string_view>

#include "host/cli/daemon_client.h"
#include "host/output/image_file.h"
#include "host/registry/record_json.h"
#include "host/text/list.h"
#include "host/text/quantities.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

using Level = Finding::Level;

std::string plural(std::size_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, (count == 1 ? "" : "s"));
}

bool has(const std::vector<std::string>& items, const std::string& item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

Finding space_finding(const std::string& subject, const std::filesystem::path& directory) {
  constexpr std::uint64_t kLittle = std::uint64_t{100} << 20;
  std::filesystem::path path = std::filesystem::absolute(directory);
  struct statvfs space {};
  while (statvfs(path.c_str(), &space) != 0 && path.has_relative_path())
    path = path.parent_path();
  const std::uint64_t free = std::uint64_t{space.f_bavail} * space.f_frsize;
  if (free < kLittle) {
    return {subject, Level::warning, "'" + directory.string() + "': " + human_bytes(free) + " free",
            "free some space on that file system"};
  }
  return {subject, Level::ok, "'" + directory.string() + "' may be written, " + human_bytes(free) + " free",
          ""};
}

Finding writable_finding(const std::string& subject, const std::filesystem::path& directory) {
  try {
    check_output_directory(directory);
  } catch (const Error& error) {
    const bool output = subject == "output";
    constexpr std::string_view kCalled = "output directory";
    std::string text = error.what();
    if (!output && text.starts_with(kCalled)) text.replace(0, kCalled.size(), "user directory");
    return {subject, Level::error, text,
            std::string("make it writable") +
                (output ? ", or pass another one with --output-dir" : ", or set XDG_DATA_HOME")};
  }
  return space_finding(subject, directory);
}

std::string loads_text(const EngineRecord& record) {
  const std::string rates = rates_text(record);
  const std::string measured = rates.empty() ? "" : "; GFLOP/s by weights: " + rates;
  return "loads (" + record.manifest_file.string() + ")" + measured;
}

}  // namespace

std::string level_name(Level level) {
  switch (level) {
    case Level::ok:
      return "ok";
    case Level::warning:
      return "warning";
    case Level::error:
      break;
  }
  return "error";
}

Findings processor_findings(const Machine& machine) {
  Findings findings;
  const bool fast = has(machine.features, "avx2") || has(machine.features, "asimd");
  std::string text = (machine.cpu.empty() ? "unknown processor" : machine.cpu) + ": " +
                     (machine.features.empty() ? "no vector extensions known" : joined(machine.features));
  findings.push_back({"cpu", fast ? Level::ok : Level::warning, text,
                      fast ? "" : "engines run, but slowly: a processor with AVX2 is several times faster"});
  text = fmt::format("{} of {} may be used", plural(machine.processors_allowed, "processor"),
                     machine.processors);
  if (machine.cpu_quota)
    text += ", " + fixed(*machine.cpu_quota, 1) + " processors' worth of time by the cgroup";
  const bool throttled = machine.cpu_quota && *machine.cpu_quota + 0.5 < machine.processors_allowed;
  findings.push_back({"cores", throttled ? Level::warning : Level::ok, text,
                      throttled ? fmt::format("the cgroup will throttle: pass --threads {}",
                                              std::max(1, static_cast<int>(*machine.cpu_quota)))
                                : ""});
  return findings;
}

Findings memory_findings(const Machine& machine) {
  constexpr std::uint64_t kEnough = std::uint64_t{512} << 20;  // the pocket models with room to spare
  const std::uint64_t usable = std::min(machine.memory_available_bytes,
                                        machine.memory_limit_bytes.value_or(machine.memory_available_bytes));
  std::string text = human_bytes(machine.memory_available_bytes) + " of " +
                     human_bytes(machine.memory_bytes) + " available, " +
                     (machine.swap_bytes == 0 ? "no" : human_bytes(machine.swap_bytes)) + " swap";
  if (machine.memory_limit_bytes) text += ", the cgroup allows " + human_bytes(*machine.memory_limit_bytes);
  if (usable < kEnough) return {{"memory", Level::warning, text, "end other programs, or raise the limit"}};
  return {{"memory", Level::ok, text, ""}};
}

Findings openblas_findings(const Registry& registry) {
  const EngineRecord* record = registry.find("openblas");
  if (record == nullptr || !record->manifest) return {};
  std::string text;
  if (const auto set = environment_variable("OPENBLAS_CORETYPE")) {
    text = "OPENBLAS_CORETYPE is " + *set + ", set by you";
  } else {
    text = "OPENBLAS_CORETYPE is left to the library";
    for (const auto& [name, value] : engine_environment(*record->manifest)) {
      if (name == "OPENBLAS_CORETYPE")
        text = "OPENBLAS_CORETYPE is " + value + ", computed from the processor";
    }
  }
  if (record->report) {
    for (const auto& [key, value] : record->report->facts) {
      if (key.starts_with("blas")) text += ", " + key + " " + value;
    }
  }
  return {{"openblas", Level::ok, text, ""}};
}

Findings engine_findings(const Program& program, const Registry& registry) {
  Findings findings;
  std::size_t usable = 0;
  for (const EngineRecord& record : registry.records()) {
    const std::string file = record.manifest_file.string();
    switch (record.state) {
      case EngineState::listed:
      case EngineState::available: {
        ++usable;
        const bool differs = !record.differences.empty();
        findings.push_back(
            {"engine " + record.id, differs ? Level::warning : Level::ok,
             differs ? "differs from its manifest: " + joined(record.differences, "; ") : loads_text(record),
             differs ? "the plugin's word counts; its author should correct the manifest" : ""});
        break;
      }
      case EngineState::duplicate:
        findings.push_back({"engine " + record.id, Level::warning,
                            file + " is not used: the same id came first",
                            "remove one of them, or order the directories with --engine-path"});
        break;
      case EngineState::unusable:
        findings.push_back({"engine " + record.id, Level::warning,
                            record.error
                                ? std::string(status_name(record.error->code())) + ": " + record.error->what()
                                : file + " cannot be used",
                            record.error ? std::string(record.error->hint()) : ""});
        break;
    }
  }
  if (usable == 0) {
    std::vector<std::string> places;
    for (const SearchDirectory& directory : program.engine_directories())
      places.push_back(directory.path.string());
    findings.push_back({"engines", Level::error, "none can be used; looked in " + joined(places),
                        "install the engines, or name their directory with --engine-path"});
  }
  return findings;
}

Findings model_findings(const ModelCatalogue& models) {
  Findings findings;
  std::vector<std::string> present, absent;
  for (const auto& entry : models.entries())
    (entry.present ? present : absent).push_back(entry.spec.name);
  if (!has(present, ModelCatalogue::kDefaultModel)) {
    findings.push_back({"models", Level::error,
                        std::string("the default model ") + ModelCatalogue::kDefaultModel + " was not found",
                        "complete the installation: it comes along with the program"});
  }
  std::string text = "present: " + (present.empty() ? "none" : joined(present));
  if (!absent.empty()) text += "; known, not present: " + joined(absent);
  findings.push_back({"models", Level::ok, text, ""});
  for (const auto& entry : models.entries()) {
    if (entry.problem) {
      findings.push_back({"model " + entry.spec.name, Level::error,
                          std::string(status_name(entry.problem->code())) + ": " + entry.problem->what(),
                          std::string(entry.problem->hint())});
    }
    if (!entry.present || entry.stored) continue;  // those of the store were inspected when they came in
    try {
      inspect_model_directory(entry.directory);
    } catch (const Error& error) {
      findings.push_back({"model " + entry.spec.name, Level::error,
                          std::string(status_name(error.code())) + ": " + error.what(),
                          std::string(error.hint())});
    }
  }
  for (const Error& problem : models.problems()) {
    findings.push_back({"models", Level::warning, problem.what(), std::string(problem.hint())});
  }
  return findings;
}

Findings directory_findings(const Program& program) {
  const std::filesystem::path user = program.user_directory();
  const Finding homeless{"user data", Level::warning, "HOME and XDG_DATA_HOME are not set",
                         "set one of them, where engines and models of your own shall be found"};
  return {writable_finding("output", "output"),
          user.empty() ? homeless : writable_finding("user data", user)};
}

Findings daemon_findings() {
  std::string where;
  try {
    DaemonClient client({}, std::chrono::seconds(3));
    where = client.place();
    const OrderedJson health = client.get("/health");
    const std::string version = health.value("server_version", "");
    const std::string text =
        fmt::format("one of version {} answers at {}, {}", version, where, health.value("state", ""));
    if (version == program_version()) return {{"daemon", Level::ok, text, ""}};
    return {
        {"daemon", Level::warning, text, "this program is of version " + program_version() + ": restart it"}};
  } catch (const HttpFailure& failure) {
    if (failure.step() == HttpFailure::Step::connect)
      return {{"daemon", Level::ok, "none runs; nothing listens at " + where, ""}};
    return {{"daemon", Level::warning, failure.what(),
             "something listens there and does not answer as a daemon does"}};
  } catch (const Error& error) {
    return {{"daemon", Level::warning, error.what(),
             error.code() == RH_SOURCE_REJECTED
                 ? "another program has that port: start the daemon with another one (serve --port N)"
                 : std::string(error.hint())}};
  }
}

Findings locale_findings() {
  std::setlocale(LC_CTYPE, "");
  const std::string charset = nl_langinfo(CODESET);
  if (charset == "UTF-8") return {{"locale", Level::ok, "text is UTF-8", ""}};
  // Prompts are read as UTF-8 in any case; only the terminal may show them wrong.
  return {{"locale", Level::ok,
           "the terminal's charset is " + charset + "; prompts are read as UTF-8 all the same", ""}};
}

}  // namespace roundhouse::host
