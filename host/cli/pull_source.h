// SPDX-License-Identifier: Apache-2.0
// A kind of place that `roundhouse pull` takes models from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/flags.h"
#include "host/cli/program.h"
#include "host/store/store.h"

namespace roundhouse::host {

// What all kinds have in common.
struct PullRequest {
  std::string source;             // as it was given
  std::optional<ModelName> name;  // none: the source's own
  std::optional<std::string> token, token_file;
  unsigned parallel = 4;  // files at once
  bool allow_http = false;
  ProgressSeen progress;  // throws CANCELLED once a signal was noted
};

class PullSource {
 public:
  virtual ~PullSource() = default;

  // Adds flags of its own, if it has any. Called once.
  virtual void declare(FlagTable&) {}
  // Whether the source is one of its kind, by how it is written.
  virtual bool takes(const Program& program, const std::string& source) const = 0;
  virtual ImportReport pull(const Program& program, const PullRequest& request) = 0;
};

std::unique_ptr<PullSource> make_hub_pull_source();
std::unique_ptr<PullSource> make_recipe_pull_source();
std::unique_ptr<PullSource> make_local_pull_source();
std::unique_ptr<PullSource> make_registry_pull_source();

// All kinds; the first that takes a source has it.
std::vector<std::unique_ptr<PullSource>> make_pull_sources();

}  // namespace roundhouse::host
