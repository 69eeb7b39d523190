// SPDX-License-Identifier: Apache-2.0
// A store of one test, and the tiny model of which a test may make variants.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "host/store/store.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::filesystem::copy(std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", model(),
                          std::filesystem::copy_options::recursive);
  }

  std::filesystem::path root() const { return directory_.path() / "store"; }
  std::filesystem::path model() const { return directory_.path() / "model"; }
  StorePaths paths() const { return {root()}; }
  Store store() const { return Store(root()); }

  ImportReport import(const std::string& name, LinkMode link_mode = LinkMode::automatic) const {
    ImportOptions options;
    options.link_mode = link_mode;
    return store().import_directory(model(), ModelName::parse(name), options);
  }
  StoredModel get(const std::string& name) const { return store().get(ModelName::parse(name)); }
  std::filesystem::path blob_of(const std::string& name, const std::string& file) const {
    return paths().blob(store().manifest(get(name)).find(file)->digest);
  }

  // Changes a file through its owner's rights, as a disk or a careless program would.
  static void change(const std::filesystem::path& file, const std::function<void(std::string&)>& edit) {
    std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::ifstream stream(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(stream), {}};
    edit(content);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }

  static std::string outcome(const std::function<void()>& work) {
    try {
      work();
      return "ok";
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }

  static std::set<std::string> names_in(const std::filesystem::path& directory) {
    std::set<std::string> names;
    if (!std::filesystem::exists(directory)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      names.insert(entry.path().filename());
    return names;
  }

  TemporaryDirectory directory_;
};

}  // namespace roundhouse::host
