// SPDX-License-Identifier: Apache-2.0
#include "host/cli/bench_text.h"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/cli/arguments.h"
#include "host/cli/engine_run.h"
#include "host/cli/interrupt.h"
#include "host/session/random_seed.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

std::uint32_t bench_count(const char* flag, const std::optional<std::string>& text, std::uint32_t otherwise,
                          std::int64_t most) {
  return text ? static_cast<std::uint32_t>(parse_integer(flag, *text, 1, most)) : otherwise;
}

// Of the first row, where that is one alone.
double times_one(const TextBenchReport& report, const TextBenchReport::AtOnce& row) {
  const auto& first = report.at_once.front();
  return first.requests == 1 && first.rate > 0 ? row.rate / first.rate : 0;
}

}  // namespace

void declare_bench_text_flags(FlagTable& command, BenchTextFlags& flags) {
  command.add("MODEL", "", "A model by name, or a directory (with a '/')", &flags.model).required = true;
  command.add("--prompt-tokens", "N", "About how long the prompt is, 1 to 1000000 [default: 512]",
              &flags.prompt_tokens);
  command.add("--tokens", "N", "How long the answer is, 1 to 1000000 [default: 64]", &flags.tokens);
  command.add("--at-once", "N", "Also so many requests at once, 1 to 1024 (repeatable) [default: 1 and 4]",
              &flags.at_once);
  command.add("--runs", "N", "1 to 100; the best counts [default: 3]", &flags.runs);
  command.add("--context", "N", "The window in tokens [default: the model's]", &flags.context);
  declare_engine_flags(command, flags, "answer");
}

TextBenchReport bench_text(const Program& program, const BenchTextFlags& flags, bool json) {
  constexpr std::int64_t kMost = 1'000'000;
  TextBench bench;
  bench.prompt_tokens = bench_count("--prompt-tokens", flags.prompt_tokens, bench.prompt_tokens, kMost);
  bench.answer_tokens = bench_count("--tokens", flags.tokens, bench.answer_tokens, kMost);
  bench.runs = bench_count("--runs", flags.runs, bench.runs, 100);
  if (!flags.at_once.empty()) bench.at_once.clear();
  for (const std::string& text : flags.at_once)
    bench.at_once.push_back(bench_count("--at-once", text, 1, 1024));
  TextRequest request;
  read_engine_flags(flags, request);
  request.prompt = "a bench";
  request.window = parse_integer("--context", flags.context, "a whole number");
  const std::atomic<bool>& cancelled = watch_interrupts();
  EngineRun engines(program, flags, json);
  engines.begin(request.model);
  const ModelCatalogue models = program.models();
  const TextPlan plan =
      engines.plan([&] { return make_text_plan(request, engines.registry(), models, random_seed); });
  engines.prepare_process(plan, nullptr);
  engines.explain();
  ClientOptions client = engines.client();
  client.device = plan.device;
  OneWorker worker(engines.registry(), client, engines.factory());
  return bench_text(plan, worker, bench, cancelled, [&](const std::string& what) {
    if (!json) std::fputs((what + "\n").c_str(), stderr);
  });
}

std::string bench_text_text(const TextBenchReport& report) {
  std::string text = fmt::format("engine        {} on {}\n", report.engine, report.device);
  text += fmt::format("load          {} cold, {} warm\n", human_milliseconds(report.cold_load_ms),
                      human_milliseconds(report.warm_load_ms));
  text += fmt::format("prompt        {:.1f} tokens/s ({} tokens), first piece after {}\n", report.prompt_rate,
                      report.prompt_tokens, human_milliseconds(report.first_ms));
  text +=
      fmt::format("answer        {:.1f} tokens/s ({} tokens)\n", report.answer_rate, report.answer_tokens);
  for (const auto& row : report.at_once) {
    text += fmt::format("{:<14}{:.1f} tokens/s", fmt::format("{} at once", row.requests), row.rate);
    if (row.requests > 1 && times_one(report, row) > 0)
      text += fmt::format(", {:.2f} times one", times_one(report, row));
    text += "\n";
  }
  text += fmt::format("memory        {}\n", human_bytes(report.peak_memory_bytes));
  for (const std::string& note : report.notes)
    text += "note: " + note + "\n";
  return text;
}

OrderedJson bench_text_json(const TextBenchReport& report) {
  OrderedJson json;
  json["engine"] = report.engine;
  json["device"] = report.device;
  for (const auto& [key, value] : report.facts)
    json["facts"][key] = value;
  json["load"] = {{"cold_ms", report.cold_load_ms}, {"warm_ms", report.warm_load_ms}};
  json["prompt"] = {{"tokens", report.prompt_tokens}, {"tokens_per_second", report.prompt_rate}};
  json["answer"] = {{"tokens", report.answer_tokens}, {"tokens_per_second", report.answer_rate}};
  json["first_piece_ms"] = report.first_ms;
  json["at_once"] = OrderedJson::array();
  for (const auto& row : report.at_once)
    json["at_once"].push_back({{"requests", row.requests}, {"tokens_per_second", row.rate}});
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  json["notes"] = report.notes;
  return json;
}

}  // namespace roundhouse::host
