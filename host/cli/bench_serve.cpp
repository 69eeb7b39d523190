// SPDX-License-Identifier: Apache-2.0
// Measurements of a daemon, each with one of its own.
#include "host/cli/bench_serve.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/cli/arguments.h"
#include "host/cli/bench_serve_load.h"
#include "host/cli/interrupt.h"
#include "host/session/image_runner.h"
#include "host/text/elapsed.h"
#include "host/worker/machine.h"
#include "host/worker/ops/image.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kDrawnPrompt = "a red mushroom on green grass at night";
constexpr std::int64_t kSeed = 42;

std::int64_t number(const char* flag, const std::optional<std::string>& text, std::int64_t otherwise,
                    std::int64_t most) {
  return text ? parse_integer(flag, *text, 1, most) : otherwise;
}

OrderedJson image_body() {
  return {{"prompt", kDrawnPrompt}, {"exact", true}, {"format", "png"}, {"seed", kSeed}};
}

void measure_starts(const Program& program, std::int64_t starts, BenchServeReport& report) {
  for (std::int64_t i = 0; i < starts; ++i) {
    const Clock::time_point begin = Clock::now();
    const BenchDaemon daemon(program, {});
    DaemonClient client = daemon.client();
    client.get("/api/version");
    report.first_answer_milliseconds.add(milliseconds_since(begin));
    client.post("/generate", image_body());
    report.first_image_milliseconds.add(milliseconds_since(begin));
  }
}

// The same image as image_body() by a worker of this program.
class DirectWorker {
 public:
  explicit DirectWorker(const Program& program) {
    GenerateRequest request;
    request.prompt = kDrawnPrompt;
    request.seed = kSeed;
    const Registry registry = program.registry();
    plan_ = make_plan(request, registry, program.models(), [] { return std::uint64_t{kSeed}; });
    client_ = make_worker_client(*placed_engine(plan_, registry).manifest, client_options(plan_, {}));
    client_->probe();
    client_->open(open_job(plan_));
  }
  const GeneratePlan& plan() const { return plan_; }
  double generate() {
    const Clock::time_point begin = Clock::now();
    host::generate(*client_, image_job(plan_, 0));
    return milliseconds_since(begin);
  }

 private:
  GeneratePlan plan_;
  std::unique_ptr<EngineClient> client_;
};

double stages_milliseconds(const OrderedJson& answer) {
  double sum = 0;
  for (const OrderedJson& stage : answer.at("stages"))
    sum += stage.at("ms").get<double>();
  return sum;
}

void measure_overhead(const Program& program, std::int64_t runs, OverheadBench& bench) {
  const BenchDaemon daemon(program, {});
  DaemonClient client = daemon.client();
  DirectWorker direct(program);
  const GeneratePlan& plan = direct.plan();
  bench.model = name_of(plan.model);
  bench.engine = plan.engine;
  bench.width = plan.job.width;
  bench.height = plan.job.height;
  bench.steps = plan.job.steps;
  OrderedJson body = image_body();
  body["engine"] = plan.engine;
  client.post("/generate", body);  // both have the model and the prompt by heart from now on
  direct.generate();
  for (std::int64_t i = 0; i < runs; ++i) {
    if (interrupt_noted()) throw Error(RH_CANCELLED, "interrupted");
    const Clock::time_point begin = Clock::now();
    const OrderedJson answer = client.post("/generate", body);
    const double request = milliseconds_since(begin), engine = stages_milliseconds(answer);
    bench.request_milliseconds.add(request);
    bench.engine_milliseconds.add(engine);
    bench.rest_milliseconds.add(request - engine);
    bench.direct_milliseconds.add(direct.generate());
  }
}

// Answers a second of GET /health on that many connections.
double health_rate(const BenchDaemon& daemon, int connections, std::int64_t seconds) {
  std::atomic<std::uint64_t> answers{0};
  const Clock::time_point end = Clock::now() + std::chrono::seconds(seconds);
  on_threads(connections, [&](int) {
    DaemonClient client = daemon.client();
    std::uint64_t own = 0;
    for (; Clock::now() < end; ++own)
      client.get("/health");
    answers += own;
  });
  return static_cast<double>(answers) / static_cast<double>(seconds);
}

}  // namespace

void declare_bench_serve_flags(FlagTable& command, BenchServeFlags& flags) {
  command.add("--starts", "N", "Daemons to start, 1 to 1000 [default: 5]", &flags.starts);
  command.add("--runs", "N", "Images for the overhead, 1 to 10000 [default: 30]", &flags.runs);
  command.add("--cycles", "N", "Images to begin and cancel, 1 to 1000000 [default: 1000]", &flags.cycles);
  command.add("--clients", "N", "Clients at once, 1 to 4096 [default: 200]", &flags.clients);
  command.add("--seconds", "N", "For each rate of answers, 1 to 3600 [default: 2]", &flags.seconds);
}

double OverheadBench::overhead_percent() const {
  const double own = engine_milliseconds.median();
  return own > 0 ? 100 * rest_milliseconds.median() / own : 0;
}

BenchServeReport bench_serve(const Program& program, const BenchServeFlags& flags) {
  BenchServeReport report;
  report.starts = number("--starts", flags.starts, 5, 1000);
  report.runs = number("--runs", flags.runs, 30, 10'000);
  const std::int64_t cycles = number("--cycles", flags.cycles, 1000, 1'000'000);
  const std::int64_t clients = number("--clients", flags.clients, 200, 4096);
  const std::int64_t seconds = number("--seconds", flags.seconds, 2, 3600);
  watch_interrupts();
  getloadavg(&report.load, 1);
  report.processors = inspect_machine().processors_allowed;
  measure_starts(program, report.starts, report);
  measure_overhead(program, report.runs, report.overhead);
  measure_cancelling(program, static_cast<std::uint64_t>(cycles), report.cancel);
  measure_crowd(program, static_cast<int>(clients), report.crowd);
  const BenchDaemon daemon(program, {});
  report.health_rate_one = health_rate(daemon, 1, seconds);
  report.health_rate_many = health_rate(daemon, kHealthConnections, seconds);
  return report;
}

}  // namespace roundhouse::host
