// SPDX-License-Identifier: Apache-2.0
// What a run reports when it is done, for people and as JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/app/generate.h"
#include "host/cli/report.h"

namespace roundhouse::host {

struct RunRecord {
  GeneratePlan plan;
  OpenResult opened;
  std::string engine;
  std::vector<std::string> notes;
  std::vector<SavedImage> images;
  double start_milliseconds = 0;  // from the program's start to the run's
  double load_milliseconds = 0;   // worker, plugin and weights
  double total_milliseconds = 0;  // from the program's start to its end
  std::uint64_t peak_memory_bytes = 0;
};

OrderedJson verdicts_json(const Decision& decision);
std::string verdicts_text(const Decision& decision, std::size_t width);

OrderedJson summary_json(const RunRecord& run);
std::string summary_text(const RunRecord& run, std::size_t width);

}  // namespace roundhouse::host
