// SPDX-License-Identifier: Apache-2.0
#include "host/cli/bench_options.h"

#include <algorithm>

#include "host/cli/arguments.h"
#include "host/cli/generate_options.h"

namespace roundhouse::host {
namespace {

constexpr const char* kPrompt = "a red circle on a blue background";

struct Size {
  std::optional<std::int64_t> width, height;
};

Size parse_size(const std::string& text) {
  static constexpr const char* expectation = "WIDTHxHEIGHT, such as 1024x768";
  const std::size_t cross = text.find('x');
  if (cross == std::string::npos)
    throw Error(RH_INVALID_ARGUMENT, "--size: '" + text + "' is not a size, expected " + expectation);
  return {parse_integer("--size", text.substr(0, cross), expectation),
          parse_integer("--size", text.substr(cross + 1), expectation)};
}

std::vector<Size> sizes_of(const BenchFlags& flags) {
  if (flags.sizes.empty()) {
    return {{parse_integer("--width", flags.width, "a number of pixels"),
             parse_integer("--height", flags.height, "a number of pixels")}};
  }
  if (flags.width || flags.height)
    throw Error(RH_INVALID_ARGUMENT, "--size: given together with --width or --height, expected one of both");
  std::vector<Size> sizes;
  for (const std::string& text : flags.sizes)
    sizes.push_back(parse_size(text));
  return sizes;
}

std::vector<std::optional<std::string>> weights_of(const BenchFlags& flags) {
  if (flags.weights.empty()) return {std::nullopt};
  return {flags.weights.begin(), flags.weights.end()};
}

std::vector<std::uint32_t> threads_of(const BenchFlags& flags) {
  if (flags.threads.empty()) return {0};
  std::vector<std::uint32_t> threads;
  for (const std::string& text : flags.threads)
    threads.push_back(thread_budget(text));
  return threads;
}

GenerateRequest common_request(const BenchFlags& flags) {
  GenerateRequest request;
  request.prompt = kPrompt;
  request.model = flags.model;
  request.steps = parse_integer("--steps", flags.steps, "1 to 50");
  request.guidance = parse_number("--guidance", flags.guidance, "0 to 20");
  request.seed = flags.seed ? parse_integer("--seed", *flags.seed, "0 or more") : 1;
  request.memory_limit_bytes = memory_limit(flags.memory_limit);
  for (const std::string& text : flags.engine_options)
    request.engine_options.push_back(parse_engine_option("--engine-option", text));
  for (const std::string& text : flags.model_options)
    request.model_options.push_back(parse_engine_option("--model-option", text));
  return request;
}

}  // namespace

void declare_bench_flags(FlagTable& command, BenchFlags& flags) {
  command.add("--engine", "ID", "An engine to measure (repeatable) [default: all that can]", &flags.engines);
  command.add("--model", "NAME|DIR", "The model to run [default: pocket-turbo]", &flags.model);
  command.add("--size", "WxH", "A size in pixels (repeatable) [default: the model's]", &flags.sizes);
  command.add("--width", "PX", "Width in pixels, where there is one size [default: the model's]",
              &flags.width);
  command.add("--height", "PX", "Height in pixels, likewise [default: the model's]", &flags.height);
  command.add("--steps", "N", "1 to 50 [default: the model's]", &flags.steps);
  command.add("--guidance", "X", "0 to 20 [default: the model's, else 0]", &flags.guidance);
  command.add("--weights", "TYPE", "stored, q8_0, q4_0, q6_k or q4_k (repeatable) [default: stored]",
              &flags.weights);
  command.add("--threads", "N", "1 to 1024 (repeatable) [default: all processors that the program may use]",
              &flags.threads);
  command.add("--stage", "NAME", "encode, denoise or decode: show these only (repeatable) [default: all]",
              &flags.stages);
  command.add("--runs", "N", "Images per case, 1 to 100 [default: 3]", &flags.runs);
  command.add("--seed", "N", "Of every image [default: 1]", &flags.seed);
  command.add("--memory-limit", "SIZE", "What an engine's process may take, such as 10GB",
              &flags.memory_limit);
  command.add("--model-option", "NAME=VALUE", "An option of the engines for the model (repeatable)",
              &flags.model_options);
  command.add("--engine-option", "NAME=VALUE", "An option of the engines (repeatable)",
              &flags.engine_options);
}

std::vector<BenchCase> bench_cases(const BenchFlags& flags) {
  std::vector<BenchCase> cases;
  const GenerateRequest common = common_request(flags);
  for (const Size& size : sizes_of(flags)) {
    for (const auto& weights : weights_of(flags)) {
      for (const std::uint32_t threads : threads_of(flags)) {
        BenchCase& one = cases.emplace_back(BenchCase{common, threads});
        one.request.width = size.width;
        one.request.height = size.height;
        one.request.weights = weights;
      }
    }
  }
  return cases;
}

std::int64_t bench_runs(const BenchFlags& flags) {
  return flags.runs ? parse_integer("--runs", *flags.runs, 1, 100) : 3;
}

std::vector<std::string> bench_stages(const BenchFlags& flags) {
  const std::vector<std::string> all = {"encode", "denoise", "decode"};
  for (const std::string& stage : flags.stages) {
    if (std::find(all.begin(), all.end(), stage) == all.end())
      throw Error(RH_INVALID_ARGUMENT,
                  "--stage: '" + stage + "' is not a stage, expected encode, denoise or decode");
  }
  if (flags.stages.empty()) return all;
  std::vector<std::string> chosen;
  for (const std::string& stage : all) {
    if (std::find(flags.stages.begin(), flags.stages.end(), stage) != flags.stages.end())
      chosen.push_back(stage);
  }
  return chosen;
}

}  // namespace roundhouse::host
