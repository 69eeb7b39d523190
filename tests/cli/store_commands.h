// SPDX-License-Identifier: Apache-2.0
// The program with a tiny model beside it, and a look into its store.
#pragma once

#include <fstream>

#include "tests/cli/program.h"

namespace roundhouse::test {

class StoreCommands : public Program {
 protected:
  StoreCommands() {
    fs::copy(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", model(), fs::copy_options::recursive);
  }
  fs::path model() const { return work() / "tiny"; }
  fs::path store() const { return root_ / "home/.local/share/roundhouse"; }

  fs::path blob_of(const std::string& name, const std::string& path) const {
    const nlohmann::json shown = run_json({"show", name});
    for (const auto& file : shown.at("files")) {
      if (file.at("path") == path)
        return store() / "blobs/sha256" / file.at("digest").get<std::string>().substr(7);
    }
    ADD_FAILURE() << path;
    return {};
  }

  static void flip(const fs::path& file, std::size_t at) {
    fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
    std::string bytes = content(file);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string error_code(const Arguments& arguments, int status) const {
    Arguments with_json = arguments;
    with_json.emplace_back("--json");
    const Outcome outcome = run(with_json);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    return outcome.json().at("error").at("code");
  }

  const Arguments kImage = {"generate", "a cat", "--engine", "reference", "--steps", "1",
                            "--width",  "32",    "--height", "32",        "--seed",  "1"};
  Arguments image_of(const std::string& name) const {
    Arguments arguments = kImage;
    arguments.insert(arguments.end(), {"--model", name});
    return arguments;
  }
};

}  // namespace roundhouse::test
