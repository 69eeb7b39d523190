// SPDX-License-Identifier: Apache-2.0
// `roundhouse ps` and `roundhouse stop`: what a daemon has loaded, and an end to it.
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/daemon_client.h"
#include "host/cli/table.h"
#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

constexpr const char* kServerHelp =
    "The daemon to ask [default: $ROUNDHOUSE_SERVER, else http://127.0.0.1:11435]; unix:/path is a socket";

// Seconds from now until "2026-01-02T03:04:05..." (UTC); none for another text.
std::optional<double> seconds_until(const std::string& time) {
  std::tm utc{};
  if (strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr) return std::nullopt;
  return std::difftime(timegm(&utc), std::time(nullptr));
}

std::string until_text(const OrderedJson& model) {
  constexpr double kForEver = 10.0 * 365 * 24 * 3600;
  if (model.value("state", "") != "idle") return "in use";
  const auto left = seconds_until(model.value("expires_at", ""));
  if (model.value("pinned", false) || (left && *left > kForEver)) return "for ever";
  return left ? human_milliseconds(std::max(0.0, *left) * 1000) : "-";
}

class PsCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("ps", "Show the models that a daemon has loaded");
    flags_.declare(command, kServerHelp);
    declare_json(command);
    return command;
  }

  int run(const Program&) override {
    const OrderedJson answer = DaemonClient(flags_).get("/api/ps");
    if (json()) {
      print_json(answer);
      return 0;
    }
    try {
      print(table(answer.at("models")));
    } catch (const OrderedJson::exception&) {
      throw Error(RH_SOURCE_REJECTED, "the daemon's list of models cannot be read");
    }
    return 0;
  }

 private:
  static std::string table(const OrderedJson& models) {
    if (models.empty()) return "no model is loaded\n";
    host::Table rows({"NAME", "ENGINE", "SIZE", "STATE", "UNTIL"});
    for (const OrderedJson& model : models) {
      rows.add({model.at("name").get<std::string>(), model.at("engine").get<std::string>(),
                human_bytes(model.at("size").get<std::uint64_t>()), model.at("state").get<std::string>(),
                until_text(model)});
    }
    return rows.text();
  }

  DaemonFlags flags_;
};

class StopCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("stop", "Unload a model of a daemon; what it is at work on is finished first");
    command.add("NAME", "", "A name of 'roundhouse ps'; +ENGINE for an engine that needs no model", &name_)
        .required = true;
    flags_.declare(command, kServerHelp);
    declare_json(command);
    return command;
  }

  int run(const Program&) override {
    const OrderedJson answer = DaemonClient(flags_).post("/api/stop", {{"model", name_}});
    if (json()) {
      print_json(answer);
      return 0;
    }
    const auto unloaded = answer.find("unloaded");
    const bool any = unloaded != answer.end() && *unloaded != 0;
    print(one_line(name_) + (any ? ": unloaded\n" : ": was not loaded\n"));
    return 0;
  }

 private:
  DaemonFlags flags_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_ps_command() {
  return std::make_unique<PsCommand>();
}

std::unique_ptr<Command> make_stop_command() {
  return std::make_unique<StopCommand>();
}

}  // namespace roundhouse::host
