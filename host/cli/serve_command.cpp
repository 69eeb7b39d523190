// SPDX-License-Identifier: Apache-2.0
// `roundhouse serve`: the daemon, until it is told to end.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/report.h"
#include "host/cli/serve_reload.h"
#include "host/cli/serve_settings.h"
#include "host/cli/service_manager.h"
#include "host/discovery/discovery.h"
#include "host/log/to_error.h"
#include "host/registry/record_json.h"
#include "host/server/daemon.h"
#include "host/store/file.h"
#include "host/text/json_text.h"
#include "host/worker/machine.h"
#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

// A connection is a descriptor, and so is much of a worker.
void allow_many_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The largest pieces of memory are images on their way out. By itself glibc learns to keep such pieces for
// each thread once they were freed, tens of MiB in all; a limit that was set stays, and they go back at once.
// What is smaller lies in a few heaps that all threads share, and goes back when they rest.
void give_back_images() {
  constexpr int kLargest = 256 << 10;  // bytes
  constexpr int kHeaps = 4;
  mallopt(M_MMAP_THRESHOLD, kLargest);
  mallopt(M_ARENA_MAX, kHeaps);
}

// What a signal may change, and what it needs for that.
struct Running {
  const Program& program;
  ServeSettings& settings;  // as they are at work
  AllowedModels& allowed;
  const DaemonOptions& options;
  const SharedRegistry& registry;
  Daemon& daemon;
  Log& log;
};

class ServeCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("serve", "Answer requests over HTTP until it is told to end");
    declare_serve_flags(command, flags_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    ServeSettings settings = read_serve_settings(flags_, config_file(program), environment_variable);
    const std::atomic<bool>& ended = watch_interrupts();
    watch_hangups();
    allow_many_descriptors();
    give_back_images();
    Log log = open_log(program, settings);
    SharedRegistry registry([&program] { return discover(program.engine_directories()); },
                            [&program, &log, threads = settings.threads](Registry& found) {
                              know_rates(program, threads, found, log);
                            });
    if (settings.engine != "auto") registry.set_default_engine(settings.engine);
    AllowedModels allowed(settings.allowed_models);
    const DaemonOptions wanted = options(program, settings, allowed);
    check_pins(settings.pool.pinned, wanted, registry);
    prctl(PR_SET_DUMPABLE, 0);  // no core file and no other process of the user shall hold keys and prompts
    Daemon daemon(wanted, registry, log);
    daemon.start();
    announce(settings, daemon.places(), registry, log);
    notify_service_manager("READY=1");
    Running running{program, settings, allowed, wanted, registry, daemon, log};
    while (!ended) {
      if (take_hangup()) reload(running);
      poll(nullptr, 0, 200);  // a signal ends it early
    }
    log.write(RH_LOG_INFO, "daemon", "ending");
    notify_service_manager("STOPPING=1");
    daemon.stop();
    log.write(RH_LOG_INFO, "daemon", "ended");
    return 0;
  }

 private:
  std::filesystem::path config_file(const Program& program) const {
    if (flags_.config) return *flags_.config;
    const std::filesystem::path home = program.user_directory();
    return home.empty() ? home : home / "config.json";
  }

  // Settings that cannot be read, or that pin what there is not, change nothing.
  void reload(Running& now) const {
    now.log.write(RH_LOG_INFO, "daemon", "SIGHUP: reading engines and settings again");
    now.log.reopen();
    now.daemon.rescan();
    try {
      const ServeSettings fresh = read_serve_settings(flags_, config_file(now.program), environment_variable);
      check_pins(fresh.pool.pinned, now.options, now.registry);
      take_settings(now.settings, fresh, now.allowed, now.daemon, now.log);
    } catch (const std::exception& exception) {
      now.log.write(RH_LOG_ERROR, "daemon", "the settings stay as they are",
                    {{"error", to_error(exception).what()}});
    }
  }

  Log open_log(const Program& program, const ServeSettings& settings) const {
    Log::Options options = program.log_options();
    options.json = true;
    if (program.options.log_level.empty()) options.level = RH_LOG_INFO;
    if (!options.file) options.file = settings.log_file;
    if (!options.file && flags_.log_here) {
      const std::filesystem::path directory = program.user_directory() / "logs";
      make_directories(directory);
      options.file = directory / "daemon.log";
    }
    return Log(options);
  }

  static DaemonOptions options(const Program& program, const ServeSettings& settings,
                               const AllowedModels& allowed) {
    DaemonOptions options;
    options.http.places = settings.listen;
    options.http.limits.connections = settings.connections;
    options.http.access = access_policy(settings);
    options.http.rested = [] { malloc_trim(0); };
    options.pool = settings.pool;
    options.client.threads = settings.threads;
    options.models = [&program, &allowed] {
      ModelSearch search = model_search(environment_variable, program.executable, program.options.home);
      search.directories = false;  // a client shall not learn what lies where on this machine
      search.allowed = allowed.get();
      return ModelCatalogue(std::move(search));
    };
    options.store_root = program.user_directory();
    options.version = program_version();
    options.check = engine_check(program);
    options.log_prompts = settings.log_prompts;
    options.fit_sizes = settings.fit_sizes;
    options.environment = environment_variable;
    options.stop_time = settings.stop_time;
    return options;
  }

  // Once for each engine and machine: a daemon does not change its mind about engines between two requests.
  static void know_rates(const Program& program, std::uint32_t threads, Registry& registry, Log& log) {
    ClientOptions client;
    client.threads = threads;
    read_rates(registry, program.rate_cache(), threads);
    const bool known = std::ranges::all_of(registry.records(), [](const EngineRecord& record) {
      return record.rates || record.maturity() == "teaching" || record.state != EngineState::listed;
    });
    if (!known)
      log.write(RH_LOG_INFO, "daemon",
                "measuring engines that are new here, for some seconds, before answering");
    measure_rates(registry, program.rate_cache(), client);
  }

  // A pin of a name that nothing has would wait for ever without a word, and pins without a place keep each
  // other out.
  static void check_pins(const std::vector<std::string>& pinned, const DaemonOptions& options,
                         const SharedRegistry& registry) {
    const std::set<std::string> names(pinned.begin(), pinned.end());
    if (names.size() > options.pool.max_loaded) {
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("pinned: {} models are pinned, and max_loaded is {}", names.size(),
                              options.pool.max_loaded),
                  "pin fewer models, or allow more loaded ones (--max-loaded)");
    }
    const ModelCatalogue models = options.models();
    for (const std::string& name : pinned) {
      if (registry.snapshot()->find(name) == nullptr) models.resolve(name);
    }
  }

  // What the first question about any trouble is: the processor, its memory, and the engines.
  static void log_machine(Log& log, const SharedRegistry& registry) {
    const Machine machine = inspect_machine();
    log.write(RH_LOG_INFO, "daemon", "this machine",
              {{"cpu", machine.cpu},
               {"features", machine.features},
               {"processors", machine.processors_allowed},
               {"memory_bytes", machine.memory_bytes},
               {"memory_available_bytes", machine.memory_available_bytes}});
    for (const EngineRecord& record : registry.snapshot()->records()) {
      nlohmann::json fields = {{"engine", record.id},
                               {"version", describe(record).version},
                               {"state", state_name(record.state)},
                               {"score", record.score()},
                               {"manifest", record.manifest_file.string()}};
      if (record.error) fields["error"] = record.error->what();
      log.write(record.error ? RH_LOG_WARNING : RH_LOG_INFO, "daemon", "engine", fields);
    }
  }

  void announce(const ServeSettings& settings, const std::vector<http::ListenPlace>& places,
                const SharedRegistry& registry, Log& log) const {
    std::vector<std::string> urls;
    for (const http::ListenPlace& place : places)
      urls.push_back(place.url() + (place.path.empty() ? settings.base_path : ""));
    if (settings.allow_remote && settings.api_keys.empty()) {
      const std::string warning = "other machines may use this server without a key (see --api-key-file)";
      const std::string line = "warning: " + warning + "\n";
      std::fwrite(line.data(), 1, line.size(), stderr);
      log.write(RH_LOG_WARNING, "daemon", warning);
    }
    log_machine(log, registry);
    log.write(RH_LOG_INFO, "daemon", "listening",
              {{"url", urls.front()}, {"listen", urls}, {"version", program_version()}});
    if (json()) {
      // Not print_json: a second signal shall end the program at once all the same.
      const OrderedJson object = {{"url", urls.front()},
                                  {"host", places.front().host},
                                  {"port", places.front().port},
                                  {"listen", urls},
                                  {"pid", getpid()},
                                  {"version", program_version()}};
      print(json_text(object) + "\n");
    } else {
      print("roundhouse " + program_version() + " listens on " + fmt::format("{}\n", fmt::join(urls, ", ")));
    }
  }

  ServeFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() {
  return std::make_unique<ServeCommand>();
}

}  // namespace roundhouse::host
