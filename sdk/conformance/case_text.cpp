// SPDX-License-Identifier: Apache-2.0
// Texts: a prompt that every model can read, asked for in several ways.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <thread>

#include "roundhouse/ext/concurrency.h"
#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/text_watch.h"

namespace conformance {
namespace {

constexpr std::string_view kPrompt = "The checker counts: one two three four five six seven eight nine ten";
constexpr std::uint32_t kTokens = 12;

struct Asked {
  Asked() {
    sampling.struct_size = sizeof sampling;
    sampling.top_p = sampling.typical_p = sampling.repetition_penalty = 1;
    request.struct_size = sizeof request;
    request.max_tokens = kTokens;
    request.prompt = {kPrompt.data(), kPrompt.size()};
    request.sampling = &sampling;
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  rh_sampling sampling{};
  rh_text_request request{};
};

using Work = std::function<void(Report&, const std::string& id, rh_model*, const rh_text&)>;

// Runs the work for every engine that can open a model which writes.
void with_writers(const Subject& subject, Report& report, const Work& work) {
  Life life(subject, report, false);
  for (const rh_engine_descriptor* engine : life.descriptors()) {
    const EngineUse use(life, *engine);
    if (!can_open(subject, *engine)) continue;
    const ModelUse model(life, subject, *engine, use.get());
    const auto* text = static_cast<const rh_text*>(model.get()->get_extension(model.get(), RH_TEXT_ID));
    if (text == nullptr) continue;
    report.require(roundhouse::reaches_floor(text) && text->generate != nullptr && text->render != nullptr,
                   "P10", std::string(engine->id) + ": rh_text is too small or has a NULL function");
    work(report, engine->id, model.get(), *text);
  }
  report.expect(!life.host().logged(std::string(kPrompt)), "P32", "the log holds a prompt");
}

// What generate sends; a failure is a finding.
std::string sent(Report& report, const std::string& id, rh_model* model, const rh_text& text,
                 const Asked& asked) {
  TextWatch watch(report, asked.request);
  ErrorSlot error;
  const rh_status status = watch.generate(model, text, error.get());
  if (!report.expect(status == RH_OK, "P45", id + ": generate failed: " + error.message()))
    error.expect_told(report, status, id + ": generate");
  return watch.sent();
}

void check_repeating(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  Asked greedy;
  const std::string first = sent(report, id, model, text, greedy);
  greedy.sampling.seed = 99;
  report.expect(sent(report, id, model, text, greedy) == first, "P49",
                id + ": at temperature 0 another seed gives another text");
  Asked sampled;
  sampled.sampling.temperature = 1;
  sampled.sampling.seed = 7;
  const std::string by_seed = sent(report, id, model, text, sampled);
  sent(report, id, model, text, greedy);
  report.expect(sent(report, id, model, text, sampled) == by_seed, "P49",
                id + ": the same request twice gives two texts");
}

// Ends at a part of its own answer, which spans tokens where there are several.
void check_stops(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  Asked asked;
  asked.request.tokens = 1;
  TextWatch whole(report, asked.request);
  ErrorSlot error;
  whole.generate(model, text, error.get());
  const std::string said = whole.said();
  if (said.size() < 8) return;
  std::size_t begin = said.size() / 2;
  while (begin > 0 && (static_cast<unsigned char>(said[begin]) & 0xC0U) == 0x80U)
    --begin;
  std::size_t end = std::min(begin + 4, said.size());
  while (end < said.size() && (static_cast<unsigned char>(said[end]) & 0xC0U) == 0x80U)
    ++end;
  const std::string stop = said.substr(begin, end - begin);
  const rh_text_view stops[] = {{stop.data(), stop.size()}};
  asked.request.stops = stops;
  asked.request.stop_count = 1;
  TextWatch cut(report, asked.request);
  const rh_status status = cut.generate(model, text, error.get());
  const std::string expected = said.substr(0, said.find(stop));
  report.expect(
      status == RH_OK && cut.said() == expected, "P48",
      fmt::format("{}: with stop '{}' the answer is '{}', expected '{}'", id, stop, cut.said(), expected));
  report.expect(status != RH_OK || (cut.report().stop == 0 && cut.report().finish == RH_FINISH_STOP), "P47",
                id + ": the report does not name the stop that ended the text");
}

void check_ends(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  Asked asked;
  TextWatch stopped(report, asked.request);
  stopped.stop = true;
  ErrorSlot error;
  rh_status status = stopped.generate(model, text, error.get());
  report.expect(status == RH_CANCELLED && stopped.reports() == 0, "P50",
                fmt::format("{}: generate that is asked to stop returned {}, with {} reports", id, status,
                            stopped.reports()));
  report.expect(stopped.asked() > 0, "P50", id + ": generate never asked whether to stop");
  TextWatch refusing(report, asked.request);
  refusing.answer = RH_IO_ERROR;
  ErrorSlot refused;
  status = refusing.generate(model, text, refused.get());
  report.expect(status == RH_IO_ERROR && refused.message() == "the checker refuses this piece" &&
                    refusing.pieces() == 1,
                "P50", id + ": generate does not end with the error of sink->piece");
}

void check_options(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  const rh_option option{sizeof option, RH_OPTION_STRING, "conformance-unknown", "x", 0, 0};
  const rh_options options{sizeof options, 1, &option};
  Asked asked;
  asked.request.options = &options;
  TextWatch watch(report, asked.request);
  ErrorSlot error;
  const rh_status status = watch.generate(model, text, error.get());
  report.expect(status == RH_UNKNOWN_OPTION && watch.pieces() == 0, "P14",
                fmt::format("{}: generate with an unknown option returned {}", id, status));
}

struct Rendered {
  unsigned times = 0;
  std::vector<std::int32_t> ids;
};

void check_rendering(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  const Asked asked;
  Rendered rendered;
  const rh_prompt_sink sink{sizeof sink, 0, &rendered,
                            [](void* context, rh_text_view, const int32_t* ids, uint64_t count) {
                              auto& to = *static_cast<Rendered*>(context);
                              ++to.times;
                              if (ids != nullptr) to.ids.assign(ids, ids + count);
                            }};
  ErrorSlot error;
  report.step("render");
  const rh_status status = text.render(model, &asked.request, &sink, error.get());
  report.expect(status == RH_OK && rendered.times == 1, "P52",
                fmt::format("{}: render returned {} after {} prompts", id, status, rendered.times));
  TextWatch watch(report, asked.request);
  watch.generate(model, text, error.get());
  report.expect(watch.report().prompt_tokens == rendered.ids.size(), "P52",
                fmt::format("{}: render gives {} ids, generate reads {}", id, rendered.ids.size(),
                            watch.report().prompt_tokens));
}

// Several at once give what each gives alone; one of them is asked to stop.
void check_neighbours(Report& report, const std::string& id, rh_model* model, const rh_text& text) {
  const auto* extension = static_cast<const rh_concurrency*>(model->get_extension(model, RH_CONCURRENCY_ID));
  const std::uint32_t calls = extension == nullptr ? 1 : std::min(extension->calls(model), 4U);
  if (calls < 2) return;
  struct Neighbour {
    Neighbour(Report& report, std::uint32_t seed) : watch(report, asked.request) {
      asked.sampling.temperature = 1;
      asked.sampling.seed = seed;
    }
    Asked asked;
    TextWatch watch;
    ErrorSlot error;
    rh_status status = RH_OK;
  };
  std::deque<Neighbour> neighbours;
  for (std::uint32_t i = 0; i < calls; ++i)
    neighbours.emplace_back(report, i);
  neighbours.front().watch.stop = true;
  {
    std::vector<std::jthread> threads;
    for (Neighbour& one : neighbours)
      threads.emplace_back([&] { one.status = one.watch.generate(model, text, one.error.get()); });
  }
  neighbours.pop_front();
  for (Neighbour& one : neighbours) {
    report.expect(one.status == RH_OK, "P49", id + ": generate beside others failed: " + one.error.message());
    report.expect(sent(report, id, model, text, one.asked) == one.watch.sent(), "P49",
                  id + ": generate beside others gives another text than alone");
  }
}

}  // namespace

void check_texts(const Subject& subject, Report& report) {
  for (const char* rule : {"P45", "P46", "P47", "P48", "P49", "P50", "P51", "P52"})
    report.expect(true, rule, "");  // an engine that does not write keeps them all
  with_writers(subject, report, [](Report& to, const std::string& id, rh_model* model, const rh_text& text) {
    check_repeating(to, id, model, text);
    check_stops(to, id, model, text);
    check_ends(to, id, model, text);
    check_options(to, id, model, text);
    check_rendering(to, id, model, text);
    check_neighbours(to, id, model, text);
  });
}

}  // namespace conformance
