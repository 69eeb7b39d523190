// SPDX-License-Identifier: Apache-2.0
#include "host/cli/text_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>

#include "host/cli/text.h"
#include "host/log/terminal_text.h"
#include "host/task/model_reference.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

constexpr const char* kDim = "\x1b[2m";
constexpr const char* kPlain = "\x1b[0m";

double rate(std::uint32_t tokens, double milliseconds) {
  return milliseconds > 0 ? tokens * 1000.0 / milliseconds : 0;
}

OrderedJson tokens_json(const std::vector<TextToken>& tokens) {
  const auto row = [](const TopToken& token) {
    OrderedJson json;
    json["id"] = token.id;
    json["text"] =
        OrderedJson::parse(json_text(OrderedJson(token.bytes)));  // parts of characters are replaced
    json["logprob"] = std::isfinite(token.logprob) ? OrderedJson(token.logprob) : OrderedJson(nullptr);
    return json;
  };
  OrderedJson list = OrderedJson::array();
  for (const TextToken& token : tokens) {
    OrderedJson json = row(token);
    for (const TopToken& other : token.top)
      json["top"].push_back(row(other));
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

AnswerStream::AnswerStream()
    : terminal_(isatty(STDOUT_FILENO) == 1), notes_on_terminal_(isatty(STDERR_FILENO) == 1) {
}

void AnswerStream::write_answer(const std::string& given) {
  const std::string text = terminal_ ? terminal_text(given, TerminalLines::several) : given;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    if (errno == EPIPE) throw BrokenPipe();
    throw Error(RH_IO_ERROR, "standard output cannot be written");
  }
  if (!text.empty()) open_line_ = text.back() != '\n';
}

void AnswerStream::write(const TextPiece& piece) {
  if (piece.channel == Channel::answer) {
    if (reasoning_) std::fputs(kPlain, stderr), std::fputs("\n\n", stderr);
    reasoning_ = false;
    return write_answer(piece.text);
  }
  if (piece.channel != Channel::reasoning || !notes_on_terminal_) return;
  if (!reasoning_) std::fputs(kDim, stderr);
  reasoning_ = true;
  std::fputs(terminal_text(piece.text, TerminalLines::several).c_str(), stderr);
}

void AnswerStream::finish() noexcept {
  if (reasoning_) std::fputs(kPlain, stderr), std::fputs("\n", stderr);
  reasoning_ = false;
  if (open_line_) std::fputc('\n', stdout);
  std::fflush(stdout);
  open_line_ = false;
}

OrderedJson answer_json(const TextPlan& plan, const TextAnswer& answer, double total_milliseconds) {
  const TextReport& report = answer.run.text;
  const LeaseReport& lease = answer.run.lease;
  OrderedJson json;
  json["model"] = name_of(plan.model);
  json["engine"] = lease.placement.engine;
  json["device"] = lease.placement.device;
  json["answer"] = answer.answer;
  if (!answer.reasoning.empty()) json["reasoning"] = answer.reasoning;
  for (const ToolCall& call : answer.tool_calls)
    json["tool_calls"].push_back({{"name", call.name}, {"arguments", call.arguments}});
  if (!answer.tokens.empty()) json["tokens"] = tokens_json(answer.tokens);
  json["finish"] = finish_name(report.finish);
  if (report.stop) json["stop"] = plan.job.stops.at(*report.stop);
  json["seed"] = plan.job.sampling.seed;
  json["usage"] = {{"prompt_tokens", report.prompt_tokens},
                   {"cached_tokens", report.cached_tokens},
                   {"answer_tokens", report.answer_tokens}};
  json["timings"] = {{"load_ms", lease.loading_milliseconds},       {"wait_ms", report.wait_milliseconds},
                     {"prompt_ms", report.prompt_milliseconds},     {"answer_ms", report.answer_milliseconds},
                     {"first_piece_ms", answer.first_milliseconds}, {"total_ms", total_milliseconds}};
  json["peak_memory_bytes"] = report.peak_memory_bytes;
  json["notes"] = lease.notes;
  return json;
}

std::string timings_line(const TextAnswer& answer) {
  const TextReport& report = answer.run.text;
  std::string line = fmt::format("{} tokens, {:.1f} a second", report.answer_tokens,
                                 rate(report.answer_tokens, report.answer_milliseconds));
  line += fmt::format("; the prompt's {} at {:.0f} a second", report.prompt_tokens,
                      rate(report.prompt_tokens - report.cached_tokens, report.prompt_milliseconds));
  if (report.cached_tokens > 0) line += fmt::format(", {} of them known", report.cached_tokens);
  return line + fmt::format("; first piece after {:.0f} ms", answer.first_milliseconds);
}

void print_notes(const std::vector<std::string>& notes) {
  for (const std::string& note : notes)
    std::fputs(("note: " + one_line(note) + "\n").c_str(), stderr);
}

}  // namespace roundhouse::host
