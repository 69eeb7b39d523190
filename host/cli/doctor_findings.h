// SPDX-License-Identifier: Apache-2.0
// What `roundhouse doctor` looks at, one function a subject.
#pragma once

#include <string>
#include <vector>

#include "host/cli/program.h"
#include "host/worker/machine.h"

namespace roundhouse::host {

struct Finding {
  enum class Level { ok, warning, error };
  std::string subject;  // "cpu", "memory", ...
  Level level = Level::ok;
  std::string text;
  std::string hint;  // empty when there is nothing to do
};
std::string level_name(Finding::Level level);

using Findings = std::vector<Finding>;

Findings processor_findings(const Machine& machine);
Findings memory_findings(const Machine& machine);
// `registry` has been probed.
Findings openblas_findings(const Registry& registry);
Findings engine_findings(const Program& program, const Registry& registry);
Findings model_findings(const ModelCatalogue& models);
Findings directory_findings(const Program& program);
// Whether a daemon answers where clients look for one, and whether its port is free where none does.
Findings daemon_findings();
Findings locale_findings();

}  // namespace roundhouse::host
