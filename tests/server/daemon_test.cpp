// SPDX-License-Identifier: Apache-2.0
#include "tests/server/daemon_test.h"

#include <unistd.h>

#include <fstream>
#include <regex>

#include "host/discovery/discovery.h"

namespace roundhouse::test {
namespace {

std::optional<std::string> no_environment(const std::string&) {
  return std::nullopt;
}

}  // namespace

DaemonTest::DaemonTest() {
  std::string directory = (std::filesystem::temp_directory_path() / "roundhouse-server-XXXXXX").string();
  root_ = mkdtemp(directory.data());
  std::filesystem::create_directories(home());
  registry_ = std::make_unique<host::SharedRegistry>([] {
    host::DiscoveryInput input;
    input.environment = no_environment;
    input.executable = ROUNDHOUSE_PROGRAM;
    return host::discover(host::search_directories(input));
  });
  host::Log::Options log;
  log.file = root_ / "log.jsonl";
  log.level = 0;
  log_ = std::make_unique<host::Log>(log);
  options_.client.executable = ROUNDHOUSE_PROGRAM;
  options_.models = [home = home()] {
    return host::ModelCatalogue(host::model_search(no_environment, ROUNDHOUSE_PROGRAM, home.string()));
  };
  options_.store_root = home();
  options_.version = "1.2.3";
}

DaemonTest::~DaemonTest() {
  daemon_.reset();
  std::filesystem::remove_all(root_);
}

host::Daemon& DaemonTest::daemon() {
  if (!daemon_) {
    daemon_ = std::make_unique<host::Daemon>(options_, *registry_, *log_);
    daemon_->start();
  }
  return *daemon_;
}

std::vector<nlohmann::json> DaemonTest::log_lines() const {
  std::vector<nlohmann::json> lines;
  std::ifstream stream(root_ / "log.jsonl");
  for (std::string line; std::getline(stream, line);)
    lines.push_back(nlohmann::json::parse(line));
  return lines;
}

Running ServedProgram::serve(const Arguments& arguments) {
  Arguments all = {"serve", "--port", "0"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const int run = runs_;
  Running running = start(all);
  const fs::path said = root_ / "io" / (std::to_string(run) + ".out");
  static const std::regex address(R"(listens on http://[^ ,/]*:(\d+)[,/\n])");
  std::smatch match;
  std::string text;
  const bool listens = becomes_true([&] {
    text = content(said);
    return std::regex_search(text, match, address) || running.ended_within(std::chrono::milliseconds(0));
  });
  if (!listens || match.empty()) throw std::runtime_error("the daemon ended: " + running.wait().err);
  port_ = static_cast<std::uint16_t>(std::stoi(match[1]));
  return running;
}

nlohmann::json test_card(int side) {
  return {{"prompt", "a test"}, {"engine", "testcard"}, {"width", side}, {"height", side}, {"steps", 2}};
}

}  // namespace roundhouse::test
