// SPDX-License-Identifier: Apache-2.0
// `roundhouse serve`: the daemon, until it is told to end.
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/report.h"
#include "host/cli/serve_settings.h"
#include "host/discovery/discovery.h"
#include "host/server/daemon.h"
#include "host/server/http/own_address.h"
#include "host/store/file.h"
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

// The largest pieces of memory are pictures on their way out. By itself glibc learns to keep such pieces for
// each thread once they were freed, tens of MiB in all; a limit that was set stays, and they go back at once.
void give_back_pictures() {
  constexpr int kLargest = 256 << 10;  // bytes
  mallopt(M_MMAP_THRESHOLD, kLargest);
}

std::string url_of(const std::string& host, std::uint16_t port) {
  const bool bare = host.find(':') != std::string::npos;
  return fmt::format("http://{}:{}", bare ? "[" + host + "]" : host, port);
}

class ServeCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("serve", "Answer requests over HTTP until it is told to end");
    declare_serve_flags(command, flags_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ServeSettings settings = read_serve_settings(flags_, config_file(program), environment_variable);
    const std::atomic<bool>& ended = watch_interrupts();
    allow_many_descriptors();
    give_back_pictures();
    Log log = open_log(program, settings);
    SharedRegistry registry([&program] { return discover(program.engine_directories()); });
    if (settings.engine != "auto") registry.set_default_engine(settings.engine);
    const DaemonOptions wanted = options(program, settings);
    check_pins(wanted, registry);
    prctl(PR_SET_DUMPABLE, 0);  // no core file and no other process of the user shall hold keys and prompts
    Daemon daemon(wanted, registry, log);
    daemon.start();
    announce(settings, daemon.port(), log);
    while (!ended)
      poll(nullptr, 0, 200);  // a signal ends it early
    log.write(RH_LOG_INFO, "daemon", "ending");
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

  static DaemonOptions options(const Program& program, const ServeSettings& settings) {
    DaemonOptions options;
    options.http.address = settings.host;
    options.http.port = settings.port;
    options.http.limits.connections = settings.connections;
    options.http.access.remote = settings.allow_remote;
    options.http.access.allowed_hosts = settings.allowed_hosts;
    options.http.access.allowed_origins = settings.allowed_origins;
    options.http.access.api_keys = settings.api_keys;
    options.http.access.trusted_proxies = settings.trusted_proxies;
    options.http.access.public_url = settings.public_url;
    if (!settings.public_url.empty()) {
      const std::string host = http::parse_public_url("public_url", settings.public_url).host;
      options.http.access.allowed_hosts.push_back(http::host_name_of(host));
    }
    options.pool = settings.pool;
    options.client.threads = settings.threads;
    options.models = [&program, allowed = settings.allowed_models] {
      ModelSearch search = model_search(environment_variable, program.executable, program.options.home);
      search.directories = false;  // a client shall not learn what lies where on this machine
      search.allowed = allowed;
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

  // A pin of a name that nothing has would wait for ever without a word.
  static void check_pins(const DaemonOptions& options, const SharedRegistry& registry) {
    const ModelCatalogue models = options.models();
    for (const std::string& name : options.pool.pinned) {
      if (registry.snapshot()->find(name) == nullptr) models.resolve(name);
    }
  }

  void announce(const ServeSettings& settings, std::uint16_t port, Log& log) const {
    const std::string url = url_of(settings.host, port);
    if (settings.allow_remote && settings.api_keys.empty()) {
      const std::string warning = "other machines may use this server without a key (see --api-key-file)";
      const std::string line = "warning: " + warning + "\n";
      std::fwrite(line.data(), 1, line.size(), stderr);
      log.write(RH_LOG_WARNING, "daemon", warning);
    }
    log.write(RH_LOG_INFO, "daemon", "listening", {{"url", url}, {"version", program_version()}});
    if (json()) {
      // Not print_json: a second signal shall end the program at once all the same.
      const OrderedJson object = {{"url", url},
                                  {"host", settings.host},
                                  {"port", port},
                                  {"pid", getpid()},
                                  {"version", program_version()}};
      print(object.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n");
    } else {
      print("roundhouse " + program_version() + " listens on " + url + "\n");
    }
  }

  ServeFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() {
  return std::make_unique<ServeCommand>();
}

}  // namespace roundhouse::host
