// SPDX-License-Identifier: Apache-2.0
// Conversions of the fixture models into folders that are gone at the end of a test.
#pragma once

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "engines/architectures/architectures.h"
#include "engines/convert/conversion.h"
#include "tests/engines/weights/temporary_folder.h"

namespace engines::test {

inline const std::filesystem::path kFixtures = ROUNDHOUSE_FIXTURES;
inline const std::filesystem::path kPocket = std::filesystem::path(ROUNDHOUSE_MODELS) / "pocket-turbo";

// Remembers what it is told, and stops when asked to.
class WatchedRun : public conversion::ConversionRun {
 public:
  std::function<bool()> stop = [] { return false; };
  std::vector<conversion::TensorReport> tensors;
  std::vector<std::uint64_t> done;
  std::uint64_t total = 0;

  bool cancelled() override { return stop(); }
  void progress(const std::string&, const std::string&, std::uint64_t at, std::uint64_t all) override {
    done.push_back(at);
    total = all;
  }
  void tensor(const conversion::TensorReport& report) override { tensors.push_back(report); }

  const conversion::TensorReport& at(const std::string& name) const {
    for (const conversion::TensorReport& report : tensors) {
      if (report.name == name) return report;
    }
    throw std::out_of_range(name);
  }
};

class Converted {
 public:
  Converted(const std::filesystem::path& source, Dtype type, bool gguf, int threads = 2) {
    ThreadPool pool(threads);
    conversion::convert_model({source, folder_.path(), type, gguf}, weight_classes(), pool, run);
  }
  std::filesystem::path path() const { return folder_.path(); }

  WatchedRun run;

 private:
  TemporaryFolder folder_;
};

// Contents of all files beneath a directory, links followed.
inline std::map<std::string, std::string> contents(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  const auto options = std::filesystem::directory_options::follow_directory_symlink;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, options)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().lexically_relative(directory).string()] =
        std::string(std::istreambuf_iterator<char>(stream), {});
  }
  return files;
}

}  // namespace engines::test
