// SPDX-License-Identifier: Apache-2.0
// The flags of `roundhouse generate`, as typed, and the request they stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/daemon_client.h"
#include "host/cli/flags.h"
#include "host/session/session.h"

namespace roundhouse::host {

// Texts are kept as given; to_request reads the numbers.
struct GenerateFlags {
  std::optional<std::string> prompt, prompt_file, negative_prompt;
  std::optional<std::string> steps, guidance, cfg_normalization, cfg_truncation;
  std::optional<std::string> long_prompt;
  std::optional<std::string> width, height, aspect, images, seed, sampler, schedule;
  std::optional<std::string> engine, device, model, threads, weights, memory_limit;
  std::optional<std::string> dtype_te, dtype_dit, dtype_vae;  // of encoder, transformer and autoencoder alone
  std::vector<std::string> engine_options, model_options, options;
  std::string output_directory = "output";
  bool allow_cpu = false;
  bool pull = false;
  bool in_process = false;
  bool explain = false;
  bool estimate = false;
  bool log_prompts = false;
  bool no_metadata = false;
  DaemonFlags daemon;  // where another makes the image
};

void declare_generate_flags(FlagTable& command, GenerateFlags& flags);
// Those of them that change numbers, for commands that look into a run.
void declare_traced_flags(FlagTable& command, GenerateFlags& flags);

// Throws INVALID_ARGUMENT for a value that is no number or a prompt that is given twice or not at all,
// IO_ERROR for a prompt file that cannot be read. Ranges and names are the session's to check.
GenerateRequest to_request(const GenerateFlags& flags);

// What --memory-limit says, else what this process's control group allows, else 0 (no limit).
std::uint64_t memory_limit(const std::optional<std::string>& text);

// The thread budget: 0 when --threads is absent.
std::uint32_t thread_budget(const std::optional<std::string>& text);

}  // namespace roundhouse::host
