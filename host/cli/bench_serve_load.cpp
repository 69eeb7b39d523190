// SPDX-License-Identifier: Apache-2.0
// The test card, which needs no model and little time.
#include "host/cli/bench_serve_load.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <exception>
#include <latch>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/cli/interrupt.h"
#include "host/session/image_runner.h"
#include "host/text/elapsed.h"
#include "host/transport/base64.h"
#include "host/worker/ops/image.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kEngine = "testcard";
constexpr int kBegunSide = 1024, kBegunSteps = 50;  // long enough that a cancellation comes in the middle
constexpr int kCrowdSide = 256;
constexpr std::size_t kProblems = 5;

OrderedJson card_body(int side, int steps, std::uint64_t seed) {
  return {{"prompt", "a card"}, {"exact", true},  {"engine", kEngine}, {"width", side},
          {"height", side},     {"steps", steps}, {"seed", seed}};
}

// What leaves an image that is being made.
struct Left {};

class Canceller {
 public:
  explicit Canceller(const BenchDaemon& daemon)
      : daemon_(daemon), client_(daemon.client()), other_(daemon.client()) {}

  // Begins that many images and cancels each after its first step. Returns how many were cancelled before
  // their end, as this side saw it.
  std::uint64_t run(std::uint64_t cycles) {
    std::uint64_t at_work = 0;
    for (std::uint64_t i = 0; i < cycles; ++i)
      at_work += i % 2 == 0 ? leave() : ask();
    return at_work;
  }

  // Also what one that is finished takes, which the allocator keeps: else one that was cancelled too late
  // looks like a leak.
  void warm_up(std::uint64_t cycles) {
    for (int i = 0; i < 2; ++i)
      client_.post("/generate", card_body(kBegunSide, kBegunSteps, 1));
    run(cycles);
  }

  // When nothing is at work any more.
  DaemonFigures figures_at_rest() {
    constexpr int kPause = 10;  // milliseconds
    while (client_.get("/health").at("active") != 0)
      poll(nullptr, 0, kPause);
    return daemon_.figures();
  }

 private:
  OrderedJson body() const {
    OrderedJson body = card_body(kBegunSide, kBegunSteps, 1);
    body["stream"] = true;
    return body;
  }
  static bool is_step(const OrderedJson& line) {
    return line.contains("stage") && line.at("stage_step") != line.at("stage_steps");
  }

  bool leave() {
    try {
      client_.stream("/generate", body(), [](const OrderedJson& line) {
        if (is_step(line)) throw Left{};
      });
    } catch (const Left&) {
      return true;
    }
    return false;
  }

  bool ask() {
    bool asked = false;
    try {
      client_.stream("/generate", body(), [&](const OrderedJson& line) {
        if (asked || !is_step(line)) return;
        asked = true;
        cancel(line.at("generation_id").get<std::string>());
      });
    } catch (const Error& error) {
      if (error.code() == RH_CANCELLED && asked && !interrupt_noted()) return true;
      throw;
    }
    return false;
  }

  // Its answer is 409 where the image was finished meanwhile.
  void cancel(const std::string& id) {
    try {
      other_.post("/cancel/" + id, OrderedJson::object());
    } catch (const Error& error) {
      if (error.code() != RH_INVALID_ARGUMENT) throw;
    }
  }

  const BenchDaemon& daemon_;
  DaemonClient client_, other_;
};

// The images that a crowd asks for, by a worker of this program: four bytes a pixel.
std::vector<std::string> expected_images(const Program& program, int clients) {
  GenerateRequest request;
  request.prompt = "a card";
  request.engine = kEngine;
  request.width = request.height = kCrowdSide;
  request.steps = 1;
  request.seed = 0;
  const Registry registry = program.registry();
  GeneratePlan plan = make_plan(request, registry, program.models(), [] { return std::uint64_t{0}; });
  const auto client = make_worker_client(*placed_engine(plan, registry).manifest, client_options(plan, {}));
  client->probe();
  client->open(open_job(plan));
  std::vector<std::string> images;
  for (int i = 0; i < clients; ++i) {
    const Image image = generate(*client, image_job(plan, static_cast<std::uint32_t>(i))).image;
    std::string& rgba = images.emplace_back();
    for (std::size_t at = 0; at + 2 < image.rgb.size(); at += 3) {
      rgba.append(reinterpret_cast<const char*>(image.rgb.data()) + at, 3);
      rgba.push_back('\xFF');
    }
  }
  return images;
}

class Crowd {
 public:
  Crowd(const BenchDaemon& daemon, const std::vector<std::string>& expected, CrowdBench& bench)
      : daemon_(daemon), expected_(expected), bench_(bench) {}

  void ask(int client) {
    try {
      const auto seed = static_cast<std::uint64_t>(client);
      const OrderedJson answer = daemon_.client().post("/generate", card_body(kCrowdSide, 1, seed));
      const auto bytes = base64_decoded(answer.at("image").at("base64").get_ref<const std::string&>());
      const std::lock_guard lock(mutex_);
      if (bytes == expected_[seed]) {
        ++bench_.right;
      } else {
        wrong(fmt::format("seed {}: another image", seed));
      }
    } catch (const Error& error) {
      const std::lock_guard lock(mutex_);
      if (error.code() == RH_QUEUE_FULL) {
        ++bench_.refused;
      } else {
        wrong(std::string(status_name(error.code())) + ": " + error.what());
      }
    }
  }

 private:
  void wrong(const std::string& problem) {
    ++bench_.wrong;
    if (bench_.problems.size() < kProblems) bench_.problems.push_back(problem);
  }

  const BenchDaemon& daemon_;
  const std::vector<std::string>& expected_;
  CrowdBench& bench_;
  std::mutex mutex_;
};

}  // namespace

void on_threads(int threads, const std::function<void(int)>& work) {
  std::latch begin(threads);
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> running;
    const auto one = [&](int i) {
      begin.arrive_and_wait();
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
      }
    };
    for (int i = 0; i < threads; ++i) {
      try {
        running.emplace_back(one, i);
      } catch (...) {
        begin.count_down(threads - i);  // or those that run would wait for ever
        throw;
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

void measure_cancelling(const Program& program, std::uint64_t cycles, CancelBench& bench) {
  constexpr std::uint64_t kWarm = 100;
  const BenchDaemon daemon(program, {});
  Canceller canceller(daemon);
  canceller.warm_up(std::clamp<std::uint64_t>(cycles / 10, 2, kWarm));
  bench.before = canceller.figures_at_rest();
  const Clock::time_point begin = Clock::now();
  bench.cycles = cycles;
  bench.at_work = canceller.run(cycles);
  bench.seconds = seconds_since(begin);
  bench.after = canceller.figures_at_rest();
}

void measure_crowd(const Program& program, int clients, CrowdBench& bench) {
  const std::vector<std::string> expected = expected_images(program, clients);
  const BenchDaemon daemon(
      program, {"--queue", std::to_string(kCrowdQueue), "--connections", std::to_string(clients + 16)});
  Crowd crowd(daemon, expected, bench);
  bench.clients = static_cast<std::uint64_t>(clients);
  const Clock::time_point begin = Clock::now();
  on_threads(clients, [&](int client) { crowd.ask(client); });
  bench.seconds = seconds_since(begin);
}

}  // namespace roundhouse::host
