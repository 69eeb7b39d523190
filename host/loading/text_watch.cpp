// SPDX-License-Identifier: Apache-2.0
#include "host/loading/text_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "host/loading/plugin_error.h"
#include "host/loading/text.h"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kLongestPiece = std::uint64_t{1} << 20;
constexpr std::uint64_t kLongestAnswer = std::uint64_t{64} << 20;
constexpr std::uint64_t kLongestPrompt = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostPromptIds = std::uint64_t{1} << 26;
constexpr std::size_t kLongestToolName = 256;
constexpr std::uint32_t kMostTokens = 4096;
constexpr std::uint64_t kMostTokenRecords = 65536;

TextWatch& text_watch(void* context) {
  return *static_cast<TextWatch*>(context);
}

std::string_view view(const rh_text_view& text) {
  return {text.text, text.bytes};
}

void check_logprob(const std::string& engine, float logprob) {
  if (logprob <= 0) return;
  throw broken(engine, rule::kPiece,
               fmt::format("a token of the piece has logprob {}, expected at most 0", logprob));
}

}  // namespace

// ---- stops ----

StopSearch::StopSearch(const rh_text_request& request) : request_(request) {
  for (std::uint32_t i = 0; i < request.stop_count; ++i)
    longest_ = std::max<std::size_t>(longest_, request.stops[i].bytes);
}

std::uint32_t StopSearch::add(std::uint32_t channel, const rh_text_view& part) {
  if (longest_ == 0 || part.bytes == 0) return UINT32_MAX;
  if (channel != channel_) tail_.clear();
  channel_ = channel;
  tail_ += view(part);
  for (std::uint32_t i = 0; i < request_.stop_count; ++i) {
    if (tail_.find(view(request_.stops[i])) != std::string::npos) return i;
  }
  if (tail_.size() >= longest_) tail_.erase(0, tail_.size() - longest_ + 1);
  return UINT32_MAX;
}

// ---- generate ----

TextWatch::TextWatch(std::string engine, const rh_text_request& request, const rh_text_sink& sink)
    : SinkWatch(std::move(engine)),
      request_(request),
      caller_(sink),
      own_{sizeof(rh_text_sink), 0, this, &on_cancelled, &on_prompt, &on_piece, &on_report},
      stops_(request) {
}

std::int32_t TextWatch::on_cancelled(void* context) {
  TextWatch& self = text_watch(context);
  return self.ask_cancelled(self.caller_.cancelled, self.caller_.context);
}

void TextWatch::check_prompt(std::uint32_t done, std::uint32_t tokens) {
  check_thread("prompt");
  const bool sound =
      done >= prompt_done_ && done <= tokens && (prompt_tokens_ == 0 || tokens == prompt_tokens_);
  if (!sound) {
    throw broken(engine(), rule::kTextProgress,
                 fmt::format("prompt told of {} of {} tokens after {} of {}", done, tokens, prompt_done_,
                             prompt_tokens_));
  }
  prompt_done_ = done;
  prompt_tokens_ = tokens;
}

void TextWatch::on_prompt(void* context, std::uint32_t done, std::uint32_t tokens) {
  TextWatch& self = text_watch(context);
  if (!self.keep_misuse([&] { self.check_prompt(done, tokens); })) return;
  if (self.caller_.prompt == nullptr) return;
  self.keep_refusal([&] { self.caller_.prompt(self.caller_.context, done, tokens); });
}

void TextWatch::check_text(const rh_text_piece& piece) {
  const std::uint32_t channel = piece.channel;
  if (channel < RH_CHANNEL_ANSWER || channel > RH_CHANNEL_TOOL_CALL) {
    throw broken(engine(), rule::kPiece,
                 fmt::format("the piece has channel {}, expected RH_CHANNEL_*", channel));
  }
  check_view(engine(), rule::kPiece, "the text of the piece", piece.text, kLongestPiece);
  bytes_ += piece.text.bytes;
  if (bytes_ > kLongestAnswer) {
    throw broken(engine(), rule::kPiece,
                 fmt::format("the pieces have more than {} bytes together", kLongestAnswer));
  }
  const std::uint32_t stop = stops_.add(channel, piece.text);
  if (stop == UINT32_MAX) return;
  throw broken(engine(), rule::kStops, fmt::format("stop {} of the request was sent", stop));
}

void TextWatch::check_tool(const rh_text_piece& piece) {
  if (piece.channel != RH_CHANNEL_TOOL_CALL) {
    if (piece.tool_name == nullptr) return;
    throw broken(engine(), rule::kPiece, "a piece that is not of a call of a tool has a tool_name");
  }
  const bool begins = tool_calls_ == 0 || piece.tool_call != tool_calls_ - 1;
  if (begins && piece.tool_call != tool_calls_) {
    throw broken(engine(), rule::kPiece,
                 fmt::format("the piece is of call {}, expected {}", piece.tool_call, tool_calls_));
  }
  if (begins != (piece.tool_name != nullptr)) {
    throw broken(engine(), rule::kPiece,
                 fmt::format("{} piece of call {} has {}tool_name", begins ? "the first" : "a later",
                             piece.tool_call, begins ? "no " : "a "));
  }
  if (!begins) return;
  const std::string problem =
      *piece.tool_name == '\0' ? "is empty" : problem_of_text(piece.tool_name, kLongestToolName);
  if (!problem.empty()) throw broken(engine(), rule::kPiece, "the tool_name of the piece " + problem);
  ++tool_calls_;
}

void TextWatch::check_tokens(const rh_text_piece& piece) const {
  if (piece.token_count == 0) return;
  const std::uint32_t most = request_.tokens == 0 ? 0 : kMostTokens;
  if (piece.token_count > most || piece.tokens == nullptr) {
    throw broken(engine(), rule::kPiece,
                 fmt::format("the piece has {} tokens{}, expected at most {}", piece.token_count,
                             piece.tokens == nullptr ? " at NULL" : "", most));
  }
  std::uint64_t bytes = 0, records = 0;
  const auto add = [&](float logprob, const rh_text_view& text) {
    check_logprob(engine(), logprob);
    if (text.bytes > kLongestPiece || (text.bytes > 0 && text.text == nullptr))
      throw broken(engine(), rule::kPiece, fmt::format("a token of the piece has {} bytes", text.bytes));
    bytes += text.bytes;
    if (++records <= kMostTokenRecords && bytes <= kLongestPiece) return;
    throw broken(
        engine(), rule::kPiece,
        fmt::format("the piece has more than {} tokens with the likeliest, or more than {} bytes of them",
                    kMostTokenRecords, kLongestPiece));
  };
  for (std::uint32_t i = 0; i < piece.token_count; ++i) {
    const rh_text_token& token = piece.tokens[i];
    add(token.logprob, token.bytes);
    if (token.top_count > request_.top_logprobs || (token.top_count > 0 && token.top == nullptr)) {
      throw broken(engine(), rule::kPiece,
                   fmt::format("a token of the piece has {} others, expected at most {}", token.top_count,
                               request_.top_logprobs));
    }
    for (std::uint32_t k = 0; k < token.top_count; ++k)
      add(token.top[k].logprob, token.top[k].bytes);
  }
}

void TextWatch::take_piece(const rh_text_piece* piece) {
  check_thread("piece");
  if (reported_) throw broken(engine(), rule::kOneReport, "a piece came behind the report");
  check_record(engine(), rule::kRecords, "the piece", piece);
  const rh_text_piece known = known_part(*piece);
  check_text(known);
  check_tool(known);
  check_tokens(known);
  rh_error refusal{sizeof(rh_error), RH_OK, ""};
  const rh_status status = caller_.piece(caller_.context, &known, &refusal);
  check_taken("the piece", status, refusal);
}

rh_status TextWatch::on_piece(void* context, const rh_text_piece* piece, rh_error* error) {
  return text_watch(context).answer(error, [&] { text_watch(context).take_piece(piece); });
}

void TextWatch::check_report(const rh_text_report& report) const {
  const auto refuse = [&](const std::string& text) {
    throw broken(engine(), rule::kReport, "the report: " + text);
  };
  if (report.finish < RH_FINISH_STOP || report.finish > RH_FINISH_TOOL_CALLS)
    refuse(fmt::format("finish is {}, expected RH_FINISH_*", report.finish));
  if (report.cached_tokens > report.prompt_tokens)
    refuse(
        fmt::format("{} of {} tokens of the prompt were cached", report.cached_tokens, report.prompt_tokens));
  if (request_.max_tokens != 0 && report.answer_tokens > request_.max_tokens)
    refuse(
        fmt::format("{} tokens of answer, expected at most {}", report.answer_tokens, request_.max_tokens));
  const bool by_stop = report.stop != UINT32_MAX;
  if (by_stop && (report.stop >= request_.stop_count || report.finish != RH_FINISH_STOP))
    refuse(fmt::format("stop {} of {} with finish {}", report.stop, request_.stop_count, report.finish));
  if (report.finish == RH_FINISH_TOOL_CALLS && tool_calls_ == 0)
    refuse("ended with calls of tools, and none was sent");
}

void TextWatch::on_report(void* context, const rh_text_report* report) {
  TextWatch& self = text_watch(context);
  const bool sound = self.keep_misuse([&] {
    self.check_thread("report");
    if (self.reported_) throw broken(self.engine(), rule::kOneReport, "generate made more than one report");
    check_record(self.engine(), rule::kRecords, "the report", report);
    self.check_report(known_part(*report));
    self.reported_ = true;
  });
  if (!sound) return;
  self.keep_refusal([&] {
    const rh_text_report known = known_part(*report);
    self.caller_.report(self.caller_.context, &known);
  });
}

void TextWatch::check_complete() const {
  rethrow_misuse();
  if (!reported_) throw broken(engine(), rule::kOneReport, "generate returned success without a report");
}

// ---- render ----

PromptWatch::PromptWatch(std::string engine, const rh_prompt_sink& sink)
    : SinkWatch(std::move(engine)), caller_(sink), own_{sizeof(rh_prompt_sink), 0, this, &on_prompt} {
}

void PromptWatch::on_prompt(void* context, rh_text_view text, const std::int32_t* ids, std::uint64_t count) {
  auto& self = *static_cast<PromptWatch*>(context);
  const bool sound = self.keep_misuse([&] {
    self.check_thread("prompt");
    if (self.told_) throw broken(self.engine(), rule::kRender, "render told of more than one prompt");
    check_view(self.engine(), rule::kRender, "the prompt", text, kLongestPrompt);
    if (count > kMostPromptIds || (count > 0 && ids == nullptr)) {
      throw broken(self.engine(), rule::kRender,
                   fmt::format("the prompt has {} ids{}, expected at most {}", count,
                               ids == nullptr ? " at NULL" : "", kMostPromptIds));
    }
    self.told_ = true;
  });
  if (!sound) return;
  self.keep_refusal([&] { self.caller_.prompt(self.caller_.context, text, ids, count); });
}

void PromptWatch::check_complete() const {
  rethrow_misuse();
  if (!told_) throw broken(engine(), rule::kRender, "render returned success without a prompt");
}

}  // namespace roundhouse::host
