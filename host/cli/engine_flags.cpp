// SPDX-License-Identifier: Apache-2.0
#include "host/cli/engine_flags.h"

#include "host/cli/arguments.h"
#include "host/worker/machine.h"

namespace roundhouse::host {

void declare_engine_flags(FlagTable& command, EngineFlags& flags, const std::string& task) {
  command.add(
      "--pull",
      "Fetch the model first where it is absent and its recipe has a source [default: auto_pull of the "
      "store's config.json, else no]",
      &flags.pull);
  command.add("--engine", "ID", "An engine of 'roundhouse engines' [default: auto, the best that can]",
              &flags.engine);
  command.add("--device", "NAME", "A device that an engine lists [default: auto]", &flags.device);
  command.add("--allow-cpu", "Permit --device cpu", &flags.allow_cpu);
  command.add("--threads", "N", "1 to 1024 [default: all processors that the program may use]",
              &flags.threads);
  command.add("--weights", "TYPE",
              "How the engine holds the big matrices: stored, q8_0, q4_0, q6_k or q4_k, quantised at load "
              "[default: stored]",
              &flags.weights);
  command.add("--memory-limit", "SIZE",
              "What the engine's process may take, such as 10GB [default: the control group's limit, if any]",
              &flags.memory_limit);
  command.add("--option", "NAME=VALUE", "An option of the engine for each " + task + " (repeatable)",
              &flags.options);
  command.add("--model-option", "NAME=VALUE", "An option of the engine for the model (repeatable)",
              &flags.model_options);
  command.add("--engine-option", "NAME=VALUE", "An option of the engine itself (repeatable)",
              &flags.engine_options);
  command.add("--in-process", "Run the engine in this process, for debugging: a crash ends all",
              &flags.in_process);
  command.add("--explain", "Say first why each engine was chosen or not", &flags.explain);
}

void read_engine_flags(const EngineFlags& flags, ModelChoice& choice) {
  choice.model = flags.model;
  choice.engine = flags.engine;
  if (flags.device) choice.device = *flags.device;
  choice.allow_cpu = flags.allow_cpu;
  choice.weights = flags.weights;
  choice.memory_limit_bytes = memory_limit(flags.memory_limit);
  for (const std::string& text : flags.options)
    choice.options.push_back(parse_engine_option("--option", text));
  for (const std::string& text : flags.model_options)
    choice.model_options.push_back(parse_engine_option("--model-option", text));
  for (const std::string& text : flags.engine_options)
    choice.engine_options.push_back(parse_engine_option("--engine-option", text));
}

std::uint64_t memory_limit(const std::optional<std::string>& text) {
  if (text) return parse_bytes("--memory-limit", *text);
  const std::optional<std::uint64_t> group = inspect_machine().memory_limit_bytes;
  return group ? *group / 100 * 95 : 0;  // the rest is for this process and the kernel's part
}

std::uint32_t thread_budget(const std::optional<std::string>& text) {
  if (!text) return 0;
  return static_cast<std::uint32_t>(parse_integer("--threads", *text, 1, 1024));
}

}  // namespace roundhouse::host
