// SPDX-License-Identifier: Apache-2.0
// `roundhouse bench`: engines against each other and against the machine's own matrix product.
#include <chrono>

#include "host/cli/arguments.h"
#include "host/cli/bench_report.h"
#include "host/cli/command.h"
#include "host/cli/generate_options.h"
#include "host/cli/interrupt.h"
#include "host/cli/progress_view.h"
#include "host/session/session.h"

namespace roundhouse::host {
namespace {

constexpr const char* kPrompt = "a red circle on a blue background";
constexpr const char* kYardstick = "openblas";  // the engine whose product stands for the machine's

struct BenchFlags {
  std::vector<std::string> engines;
  std::optional<std::string> model, width, height, steps, runs, seed, threads;
};

// Measures the machine's own product; quietly nothing where the engine for it is missing.
class Yardstick {
 public:
  Yardstick(const Registry& registry, const ClientOptions& options) {
    const EngineRecord* record = registry.find(kYardstick);
    if (record != nullptr && record->manifest) client_ = make_worker_client(*record->manifest, options);
  }
  std::optional<double> measure() {
    if (!client_) return std::nullopt;
    constexpr std::uint32_t kSide = 1024;
    constexpr double kSeconds = 0.5;
    try {
      return client_->matrix_rate("", kSide, kSide, kSide, kSeconds);
    } catch (const Error&) {
      client_.reset();
      return std::nullopt;
    }
  }

 private:
  std::unique_ptr<EngineClient> client_;
};

class BenchCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command = app.add_subcommand(
        "bench", "Measure engines: time per stage, GFLOP/s, share of the machine's own product");
    command
        ->add_option("--engine", flags_.engines, "An engine to measure (repeatable) [default: all that can]")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    const auto option = [&](const char* name, std::optional<std::string>& value, const char* type,
                            const char* help) { command->add_option(name, value, help)->type_name(type); };
    option("--model", flags_.model, "NAME|DIR", "The model to run [default: pocket-turbo]");
    option("--width", flags_.width, "PX", "Width in pixels [default: the model's]");
    option("--height", flags_.height, "PX", "Height in pixels [default: the model's]");
    option("--steps", flags_.steps, "N", "1 to 50 [default: the model's]");
    option("--runs", flags_.runs, "N", "Pictures per engine, 1 to 100 [default: 3]");
    option("--seed", flags_.seed, "N", "Of every picture [default: 1]");
    option("--threads", flags_.threads, "N", "1 to 1024 [default: all processors that the program may use]");
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    GenerateRequest request = to_bench_request();
    const std::atomic<bool>& cancelled = watch_interrupts();
    Registry registry = program.registry();
    const ModelCatalogue models = program.models();
    const std::unique_ptr<Log> log = program.log();
    SessionOptions options;
    options.client.threads = thread_budget(flags_.threads);
    options.client.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
      log->write(level, category, message);
    };
    BenchReport report;
    report.runs = flags_.runs ? parse_integer("--runs", *flags_.runs, 1, 100) : 3;
    report.threads = options.client.threads;
    const std::vector<GeneratePlan> plans = make_plans(request, registry, models, report);
    Yardstick yardstick(registry, options.client);
    for (const GeneratePlan& plan : plans) {
      report.model = plan.model_name;
      report.width = plan.job.width;
      report.height = plan.job.height;
      report.steps = plan.job.steps;
      request.engine = plan.engine;
      EngineBench bench;
      bench.rate_before = yardstick.measure();
      measure(request, plan, registry, options, cancelled, report.runs, bench);
      bench.rate_after = yardstick.measure();
      report.engines.push_back(std::move(bench));
    }
    if (json()) {
      print_json(bench_json(report));
    } else {
      print(bench_text(report));
    }
    return 0;
  }

 private:
  GenerateRequest to_bench_request() const {
    GenerateRequest request;
    request.prompt = kPrompt;
    request.model = flags_.model;
    request.width = parse_integer("--width", flags_.width, "a number of pixels");
    request.height = parse_integer("--height", flags_.height, "a number of pixels");
    request.steps = parse_integer("--steps", flags_.steps, "1 to 50");
    request.seed = flags_.seed ? parse_integer("--seed", *flags_.seed, "0 or more") : 1;
    return request;
  }

  // Engines that were named must be able to; of the others, those that can are taken.
  std::vector<GeneratePlan> make_plans(GenerateRequest request, const Registry& registry,
                                       const ModelCatalogue& models, BenchReport& report) const {
    const auto no_seed = [] { return std::uint64_t{1}; };
    std::vector<GeneratePlan> plans;
    for (const std::string& engine : flags_.engines) {
      request.engine = engine;
      plans.push_back(make_plan(request, registry, models, no_seed));
    }
    if (!flags_.engines.empty()) return plans;
    std::optional<Error> reason;
    for (const EngineRecord& record : registry.records()) {
      const bool usable = record.state == EngineState::listed || record.state == EngineState::available;
      if (!usable || record.manifest->maturity == "teaching") continue;
      request.engine = record.id;
      try {
        plans.push_back(make_plan(request, registry, models, no_seed));
      } catch (const Error& error) {
        report.notes.push_back(record.id + " was left out: " + error.what());
        reason = error;
      }
    }
    if (!plans.empty()) return plans;
    throw reason.value_or(Error(RH_ENGINE_NOT_FOUND, "no engine was found to measure"));
  }

  // Each run begins with a fresh worker, as `generate` does: nothing is found done by the run before.
  void measure(const GenerateRequest& request, const GeneratePlan& plan, Registry& registry,
               const SessionOptions& options, const std::atomic<bool>& cancelled, std::int64_t runs,
               EngineBench& bench) const {
    ProgressView progress(ProgressView::style_for_standard_error(json()), 1);
    for (std::int64_t run = 0; run < runs; ++run) {
      progress.note("measuring " + plan.engine + ", run " + std::to_string(run + 1) + "/" +
                    std::to_string(runs));
      const auto begin = std::chrono::steady_clock::now();
      SessionEvents events;
      events.loaded = [&](const OpenResult& opened) {
        bench.startup_milliseconds.add(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
        bench.version = opened.engine.version;
      };
      events.progress = [&](std::uint32_t image, const ProgressEvent& event) { progress.step(image, event); };
      events.image = [&](std::uint32_t, std::uint64_t, const ImageResult& result) { add(result, bench); };
      bench.engine = run_plan(request, plan, registry, options, cancelled, events).engine;
    }
  }

  static void add(const ImageResult& result, EngineBench& bench) {
    for (const StageTiming& timing : result.stages) {
      StageBench& stage = bench.stages[timing.stage];
      stage.milliseconds.add(timing.milliseconds);
      stage.operations = timing.operations;
    }
    for (const double step : result.step_milliseconds)
      bench.step_milliseconds.add(step);
    bench.peak_memory_bytes = std::max(bench.peak_memory_bytes, result.peak_memory_bytes);
  }

  BenchFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace roundhouse::host
