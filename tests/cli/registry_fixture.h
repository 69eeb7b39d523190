// SPDX-License-Identifier: Apache-2.0
// The program, a model in its store and registries to talk to.
#pragma once

#include <fstream>

#include "tests/cli/docker_registry.h"
#include "tests/cli/program.h"
#include "tests/host/sources/tcp_proxy.h"

namespace roundhouse::test {

class RegistryTest : public Program {
 protected:
  static std::string model(const char* name) { return (fs::path(ROUNDHOUSE_MODELS) / name).string(); }

  // Takes a model that comes along into the store; its digest.
  std::string import(const std::string& name) const {
    return run_json({"import", model(name.c_str()), "--name", name}).at("digest");
  }
  static std::string at(const std::string& address, const std::string& rest) {
    return "oci://" + address + "/" + rest;
  }

  // "CODE: message" of a command that fails as it should.
  std::string failure(Arguments arguments, const std::string& input = "") const {
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments, input);
    EXPECT_NE(outcome.status, 0) << outcome.out;
    const nlohmann::json error = outcome.json().at("error");
    EXPECT_EQ(error.at("exit_status"), outcome.status);
    return error.at("code").get<std::string>() + ": " + error.at("message").get<std::string>();
  }

  // The other store is sound and has the model under that name with that digest.
  void expect_whole(const std::string& home, const std::string& name, const std::string& digest) const {
    const nlohmann::json verified = run_json({"verify", name, "--home", home});
    EXPECT_EQ(verified.at("models")[0].at("digest"), digest);
    EXPECT_EQ(verified.at("models")[0].at("sound"), true);
  }
  // What `show` says of the model's files.
  nlohmann::json files(const std::string& name) const { return run_json({"show", name}).at("files"); }
  nlohmann::json file(const std::string& name, const std::string& path) const {
    const nlohmann::json all = files(name);
    for (const auto& file : all) {
      if (file.at("path") == path) return file;
    }
    throw std::runtime_error(path);
  }

  bool is_empty(const std::string& home) const {
    return run_json({"verify", "--home", home}).at("models").empty();
  }
};

}  // namespace roundhouse::test
