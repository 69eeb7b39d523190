// SPDX-License-Identifier: Apache-2.0
// `roundhouse bench`: engines against each other and against what the machine multiplies in the same minute.
#include <fmt/format.h>

#include <chrono>

#include "host/cli/bench_options.h"
#include "host/cli/bench_report.h"
#include "host/cli/bench_serve.h"
#include "host/cli/bench_text.h"
#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/progress_view.h"
#include "host/session/image_runner.h"
#include "host/text/elapsed.h"
#include "host/worker/ops/bench.h"

namespace roundhouse::host {
namespace {

constexpr const char* kYardstick = "openblas";  // the engine whose product stands for the machine's

// Measures an engine's product; quietly nothing where the engine cannot.
class Yardstick {
 public:
  Yardstick(const Registry& registry, const ClientOptions& options, const std::string& engine) {
    const EngineRecord* record = registry.find(engine);
    if (record != nullptr && record->manifest) client_ = make_worker_client(*record->manifest, options);
  }
  std::optional<double> measure() {
    if (!client_) return std::nullopt;
    // As many rows as an image of 512x512 has tokens, as wide as a large model.
    constexpr std::uint32_t kRows = 1024;
    constexpr std::uint32_t kSide = 3840;
    constexpr double kSeconds = 0.7;
    try {
      return matrix_rate(*client_, {"", kRows, kSide, kSide, kSeconds});
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
  FlagTable declare() override {
    FlagTable command(
        "bench", "Measure engines: time per stage, GFLOP/s, shares of the machine's own products, memory");
    declare_bench_flags(command, flags_);
    declare_json(command);
    FlagTable& serve =
        command.commands.emplace_back("serve", "Measure a daemon: start, overhead, cancelling, crowds");
    serve.given = &serve_;
    declare_bench_serve_flags(serve, serve_flags_);
    FlagTable& text = command.commands.emplace_back(
        "text", "Measure a model that writes: tokens a second of prompt and answer, loading, memory, crowds");
    text.given = &text_;
    declare_bench_text_flags(text, text_flags_);
    return command;
  }

  int run(const Program& program) override {
    if (serve_) return run_serve(program);
    if (text_) return run_text(program);
    const std::vector<BenchCase> cases = bench_cases(flags_);
    BenchReport report;
    report.stages = bench_stages(flags_);
    report.runs = bench_runs(flags_);
    const std::atomic<bool>& cancelled = watch_interrupts();
    Registry registry = program.registry();
    const ModelCatalogue models = program.models();
    const std::unique_ptr<Log> log = program.log();
    ClientOptions options;
    options.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
      log->write(level, category, message);
    };
    for (const BenchCase& one : cases) {
      options.threads = one.threads;
      for (const GeneratePlan& plan : make_plans(one.request, registry, models, report))
        report.engines.push_back(measure(one, plan, registry, options, cancelled, report));
    }
    if (json()) {
      print_json(bench_json(report));
    } else {
      print(bench_text(report));
    }
    return 0;
  }

 private:
  int run_serve(const Program& program) const {
    const BenchServeReport report = bench_serve(program, serve_flags_);
    if (json()) {
      print_json(bench_serve_json(report));
    } else {
      print(bench_serve_text(report));
    }
    return 0;
  }

  int run_text(const Program& program) const {
    const TextBenchReport report = bench_text(program, text_flags_, json());
    if (json()) {
      print_json(bench_text_json(report));
    } else {
      print(bench_text_text(report));
    }
    return 0;
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
  EngineBench measure(const BenchCase& one, const GeneratePlan& plan, Registry& registry,
                      const ClientOptions& options, const std::atomic<bool>& cancelled,
                      BenchReport& report) const {
    report.model = name_of(plan.model);
    EngineBench bench;
    bench.width = plan.job.width;
    bench.height = plan.job.height;
    bench.steps = plan.job.steps;
    bench.weights = one.request.weights.value_or("stored");
    bench.threads = one.threads;
    Yardstick sgemm(registry, options, kYardstick);
    std::optional<Yardstick> own;
    if (plan.engine != kYardstick) own.emplace(registry, options, plan.engine);
    const auto measure_rates = [&] {
      bench.sgemm.add(sgemm.measure());
      if (own) bench.product.add(own->measure());
    };
    measure_rates();
    for (std::int64_t run = 0; run < report.runs; ++run) {
      measure_run(plan, registry, options, cancelled, run, report.runs, bench);
      measure_rates();
    }
    return bench;
  }

  void measure_run(const GeneratePlan& plan, Registry& registry, const ClientOptions& options,
                   const std::atomic<bool>& cancelled, std::int64_t run, std::int64_t runs,
                   EngineBench& bench) const {
    ProgressView progress(ProgressView::style_for_standard_error(json()), 1);
    progress.note(fmt::format("measuring {}, run {}/{}", plan.engine, run + 1, runs));
    const auto begin = std::chrono::steady_clock::now();
    ImageEvents events;
    events.loaded = [&](const LeaseReport& lease) {
      const OpenResult& opened = lease.opened;
      bench.startup_milliseconds.add(milliseconds_since(begin));
      bench.version = opened.engine.version;
      for (const auto& [key, value] : opened.engine.facts) {
        if (key == "products") bench.product_name = value;
      }
    };
    events.progress = [&](const StepEvent& event) { progress.step(event); };
    events.image = [&](std::uint32_t, std::uint64_t, const ImageResult& result) { add(result, bench); };
    OneWorker worker(registry, options);
    bench.engine = ImageRunner(worker).run(plan, std::nullopt, cancelled, events).placement.engine;
  }

  static void add(const ImageResult& result, EngineBench& bench) {
    double load = 0;
    for (const StageTiming& timing : result.stages) {
      StageBench& stage = bench.stages[timing.stage];
      stage.peak_memory_bytes = std::max(stage.peak_memory_bytes, timing.peak_memory_bytes);
      if (timing.stage == "load") {
        load += timing.milliseconds;
        continue;
      }
      stage.milliseconds.add(timing.milliseconds);
      stage.operations = timing.operations;
    }
    if (load > 0) bench.load_milliseconds.add(load);
    for (const double step : result.step_milliseconds)
      bench.step_milliseconds.add(step);
    bench.peak_memory_bytes = std::max(bench.peak_memory_bytes, result.peak_memory_bytes);
  }

  BenchFlags flags_;
  BenchServeFlags serve_flags_;
  BenchTextFlags text_flags_;
  bool serve_ = false, text_ = false;
};

}  // namespace

std::unique_ptr<Command> make_bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace roundhouse::host
