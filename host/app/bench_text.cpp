// SPDX-License-Identifier: Apache-2.0
#include "host/app/bench_text.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <thread>

#include "host/store/file.h"
#include "host/store/model_location.h"
#include "host/text/elapsed.h"
#include "host/worker/ops/text.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

// Words that are one token in most vocabularies; another beginning each time, so that nothing is known.
std::string prompt_of(std::uint32_t words, std::uint32_t number) {
  static constexpr std::array kWords{" time",  " people", " water", " world",
                                     " house", " light",  " year",  " work"};
  std::string text = fmt::format("{} ", number);
  for (std::uint32_t i = 0; i + 2 < words; ++i)
    text += kWords[(i * 5 + number + i / kWords.size()) % kWords.size()];
  return text;
}

// Best effort: pages that others use stay.
void forget_files(const Placement& placement) {
  if (!placement.model) return;
  std::error_code ignored;
  const auto directory = model_directory(*placement.model);
  for (std::filesystem::recursive_directory_iterator it(directory, ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    if (!it->is_regular_file(ignored)) continue;
    try {
      const File file = open_for_reading(it->path(), it->path().string(), true);
      posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    } catch (const Error&) {
      continue;  // the load will say
    }
  }
}

class TextBenchRun {
 public:
  TextBenchRun(const TextPlan& plan, const TextBench& bench,
               const std::function<void(const std::string&)>& told)
      : bench_(bench), told_(told), job_(plan.job) {
    job_.messages.reset();
    job_.stops.clear();
    job_.max_tokens = bench.answer_tokens;
    job_.sampling = {};
    if (!plan.model) return;
    for (const std::int32_t id : sampling_defaults(model_directory(*plan.model)).end_tokens)
      job_.sampling.biases.emplace_back(id, -std::numeric_limits<float>::infinity());  // to write on
  }

  void measure(Lease& lease, TextBenchReport& report) {
    report.facts = lease.report().opened.model;
    told_("reading and writing");
    for (std::uint32_t run = 0; run < bench_.runs; ++run)
      measure_one(lease.client(), report);
    const std::uint32_t capacity = lease.report().opened.capacity;
    for (const std::uint32_t requests : bench_.at_once) {
      if (requests > capacity) {
        report.notes.push_back(
            fmt::format("{} at once were left out: the engine takes {}", requests, capacity));
        continue;
      }
      told_(fmt::format("{} at once", requests));
      TextBenchReport::AtOnce best{requests, 0};
      for (std::uint32_t run = 0; run < bench_.runs; ++run)
        best.rate = std::max(best.rate, rate_of(lease.client(), requests));
      report.at_once.push_back(best);
    }
  }

 private:
  TextTask next_job(std::uint32_t words) {
    TextTask job = job_;
    job.prompt = prompt_of(words, ++number_);
    return job;
  }

  void measure_one(EngineClient& client, TextBenchReport& report) {
    const TextTask job = next_job(bench_.prompt_tokens);
    const Clock::time_point begin = Clock::now();
    double first = 0;
    TextEvents events;
    events.piece = [&](const TextPiece&) {
      if (first == 0) first = milliseconds_since(begin);
    };
    const TextReport text = write_text(client, job, events);
    const auto rate = [](std::uint32_t tokens, double ms) { return ms > 0 ? tokens * 1000.0 / ms : 0; };
    report.prompt_tokens = text.prompt_tokens;
    report.answer_tokens = text.answer_tokens;
    report.prompt_rate =
        std::max(report.prompt_rate, rate(text.prompt_tokens - text.cached_tokens, text.prompt_milliseconds));
    report.answer_rate = std::max(report.answer_rate, rate(text.answer_tokens, text.answer_milliseconds));
    if (first > 0) report.first_ms = report.first_ms == 0 ? first : std::min(report.first_ms, first);
    report.peak_memory_bytes = std::max(report.peak_memory_bytes, text.peak_memory_bytes);
  }

  // Short prompts, so that most of the time is writing.
  double rate_of(EngineClient& client, std::uint32_t requests) {
    constexpr std::uint32_t kWords = 16;
    std::vector<std::unique_ptr<EngineClient>> clients;
    std::vector<TextTask> jobs;
    for (std::uint32_t i = 0; i < requests; ++i) {
      clients.push_back(client.beside());
      jobs.push_back(next_job(kWords));
    }
    std::atomic<std::uint64_t> tokens{0};
    std::vector<std::exception_ptr> failures(requests);
    const Clock::time_point begin = Clock::now();
    {
      std::vector<std::jthread> threads;
      for (std::uint32_t i = 0; i < requests; ++i)
        threads.emplace_back([&, i] {
          try {
            tokens += write_text(*clients[i], jobs[i]).answer_tokens;
          } catch (...) {
            failures[i] = std::current_exception();
          }
        });
    }
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
    return static_cast<double>(tokens.load()) * 1000 / milliseconds_since(begin);
  }

  const TextBench& bench_;
  const std::function<void(const std::string&)>& told_;
  TextTask job_;
  std::uint32_t number_ = 0;
};

}  // namespace

TextBenchReport bench_text(const TextPlan& plan, OneWorker& worker, const TextBench& bench,
                           const std::atomic<bool>& cancelled,
                           const std::function<void(const std::string&)>& told) {
  TextBenchReport report;
  LeaseRequest request;
  request.placement = plan;
  told("loading");
  forget_files(plan);
  report.cold_load_ms = worker.lend(request, cancelled, {}, {}).loading_milliseconds;
  TextBenchRun run(plan, bench, told);
  const LeaseReport lease =
      worker.lend(request, cancelled, {}, [&](Lease& lent) { run.measure(lent, report); });
  report.warm_load_ms = lease.loading_milliseconds;
  report.engine = lease.placement.engine;
  report.device = lease.placement.device;
  report.notes.insert(report.notes.begin(), lease.notes.begin(), lease.notes.end());
  report.notes.insert(report.notes.begin(), plan.notes.begin(), plan.notes.end());
  if (report.answer_tokens < bench.answer_tokens) {
    report.notes.push_back(
        fmt::format("the model ended after {} of {} tokens", report.answer_tokens, bench.answer_tokens));
  }
  return report;
}

}  // namespace roundhouse::host
