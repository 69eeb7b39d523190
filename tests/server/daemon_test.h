// SPDX-License-Identifier: Apache-2.0
// Daemons for tests: one in this process with the real engines in workers, and the program as a black box.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <memory>

#include "host/server/daemon.h"
#include "tests/cli/program.h"
#include "tests/server/client.h"

namespace roundhouse::test {

// A daemon with a home of its own. Options may be changed until the first use of it.
class DaemonTest : public testing::Test {
 protected:
  DaemonTest();
  ~DaemonTest() override;

  host::Daemon& daemon();  // starts at its first use
  std::uint16_t port() { return daemon().port(); }
  // Lines of its log.
  std::vector<nlohmann::json> log_lines() const;
  std::filesystem::path home() const { return root_ / "home"; }

  Answer get(const std::string& path) { return ask(port(), "GET", path); }
  Answer post(const std::string& path, const nlohmann::json& body) {
    return ask(port(), "POST", path, body.dump());
  }

  host::DaemonOptions options_;

 private:
  std::filesystem::path root_;
  std::unique_ptr<host::SharedRegistry> registry_;
  std::unique_ptr<host::Log> log_;
  std::unique_ptr<host::Daemon> daemon_;
};

// `roundhouse serve --port 0` with more arguments.
class ServedProgram : public Program {
 protected:
  // Returns when it says where it listens; throws std::runtime_error when it ends instead.
  Running serve(const Arguments& arguments = {});
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
};

// An image by an engine that needs no model and little time.
nlohmann::json test_card(int side = 64);

}  // namespace roundhouse::test
