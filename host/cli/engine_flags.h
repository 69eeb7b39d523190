// SPDX-License-Identifier: Apache-2.0
// The flags of every command that has an engine work: where it runs, and with what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/flags.h"
#include "host/session/model_choice.h"

namespace roundhouse::host {

// Texts are kept as given.
struct EngineFlags {
  std::optional<std::string> model, engine, device, threads, weights, memory_limit;
  std::vector<std::string> engine_options, model_options, options;
  bool allow_cpu = false;
  bool pull = false;
  bool in_process = false;
  bool explain = false;
};

// All but the model. `task` is what an --option is for: "image", "answer".
void declare_engine_flags(FlagTable& command, EngineFlags& flags, const std::string& task);

// Throws INVALID_ARGUMENT for values that cannot be read. Names are the session's to check.
void read_engine_flags(const EngineFlags& flags, ModelChoice& choice);

// What --memory-limit says, else what this process's control group allows, else 0 (no limit).
std::uint64_t memory_limit(const std::optional<std::string>& text);

// The thread budget: 0 when --threads is absent.
std::uint32_t thread_budget(const std::optional<std::string>& text);

}  // namespace roundhouse::host
