// SPDX-License-Identifier: Apache-2.0
// A sink that watches one conversion, and eyes for the files that it wrote.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "roundhouse/ext/convert.h"
#include "sdk/conformance/report.h"

namespace conformance {

// Path beneath a directory -> what tells whether it changed.
using Files = std::map<std::string, std::string>;
// Sizes and times of all files; `without` is a name in the directory that is left out.
Files files_of(const std::filesystem::path& directory, const std::string& without = "");
// Contents of all files.
Files contents_of(const std::filesystem::path& directory);

class ConvertWatch {
 public:
  explicit ConvertWatch(Report& report) : report_(report) {}

  bool stop = false;  // what the host says from the start

  // Runs the conversion and returns what it returned.
  rh_status run(rh_engine* engine, const rh_convert& convert, const rh_convert_request* request,
                rh_error* error);
  // P38, after a success: what was told against what is in the target.
  void expect_told(const std::filesystem::path& target, const std::string& call) const;
  unsigned asked() const { return asked_; }

 private:
  static void on_progress(void* context, const rh_convert_progress* progress);
  static void on_tensor(void* context, const rh_convert_tensor* tensor);
  static std::int32_t on_cancelled(void* context);

  Report& report_;
  std::atomic<unsigned> asked_{0};
  std::uint64_t done_ = 0, total_ = 0;
  std::set<std::pair<std::string, std::string>> tensors_;  // file and name
  std::map<std::string, std::uint64_t> bytes_;             // of the tensors of a file
};

}  // namespace conformance
