// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/text_watch.h"

#include <fmt/format.h>

#include <cstring>

#include "roundhouse/floor.hpp"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

TextWatch& text_watch_of(void* context) {
  return *static_cast<TextWatch*>(context);
}

std::string copied(const rh_text_view& text) {
  return text.bytes == 0 ? std::string() : std::string(text.text, text.bytes);
}

}  // namespace

TextWatch::TextWatch(Report& report, const rh_text_request& request)
    : report_(report), request_(request), sink_{sizeof sink_, 0,         this,      &on_cancelled,
                                                &on_prompt,   &on_piece, &on_report} {
}

rh_status TextWatch::generate(rh_model* model, const rh_text& text, rh_error* error) {
  thread_ = std::this_thread::get_id();
  report_.step("generate");
  inside_ = true;
  const rh_status status = text.generate(model, &request_, &sink_, error);
  inside_ = false;
  for (const char* rule : {"P46", "P47", "P48"})
    report_.expect(true, rule, "");  // looked at as far as there was something
  report_.expect(prompt_done_ == prompt_tokens_ || status != RH_OK, "P51",
                 fmt::format("the prompt ended at {} of {} tokens", prompt_done_, prompt_tokens_));
  report_.expect((status == RH_OK) == (reports_ == 1), "P45",
                 fmt::format("generate returned {} after {} reports", status, reports_));
  for (std::uint32_t i = 0; i < request_.stop_count; ++i) {
    const std::string forbidden = copied(request_.stops[i]);
    report_.expect(said_.find(forbidden) == std::string::npos, "P48", "the answer holds '" + forbidden + "'");
  }
  return status;
}

void TextWatch::on_own_thread(const char* callback) {
  if (!inside_) report_.expect(false, "P51", std::string(callback) + " was called outside generate");
  if (std::this_thread::get_id() != thread_)
    report_.expect(false, "P51", std::string(callback) + " was called on another thread");
}

int32_t TextWatch::on_cancelled(void* context) {
  TextWatch& self = text_watch_of(context);
  ++self.asked_;
  return self.stop && self.pieces_ > 0 ? 1 : 0;
}

void TextWatch::on_prompt(void* context, uint32_t done, uint32_t tokens) {
  TextWatch& self = text_watch_of(context);
  self.on_own_thread("prompt");
  const bool follows = done >= self.prompt_done_ && done <= tokens && self.pieces_ == 0 &&
                       (self.prompt_tokens_ == 0 || self.prompt_tokens_ == tokens);
  self.report_.expect(follows, "P51",
                      fmt::format("prompt: {} of {} tokens does not follow {} of {}", done, tokens,
                                  self.prompt_done_, self.prompt_tokens_));
  self.prompt_done_ = done;
  self.prompt_tokens_ = tokens;
}

rh_status TextWatch::on_piece(void* context, const rh_text_piece* piece, rh_error* error) {
  TextWatch& self = text_watch_of(context);
  self.on_own_thread("piece");
  ++self.pieces_;
  self.report_.expect(self.reports_ == 0, "P45", "a piece came behind the report");
  if (self.report_.expect(roundhouse::reaches_floor(piece), "P10", "piece: the record is NULL or too small"))
    self.look_at(*piece);
  if (self.answer != RH_OK && roundhouse::reaches_floor(error)) {
    error->code = self.answer;
    std::strcpy(error->message, "the checker refuses this piece");
  }
  return self.answer;
}

void TextWatch::look_at(const rh_text_piece& piece) {
  const bool known = piece.channel >= RH_CHANNEL_ANSWER && piece.channel <= RH_CHANNEL_TOOL_CALL;
  report_.expect(known, "P46", fmt::format("the piece has channel {}", piece.channel));
  const bool there = piece.text.bytes == 0 || piece.text.text != nullptr;
  if (!report_.expect(there, "P46", "the text of the piece is NULL")) return;
  const std::string text = copied(piece.text);
  report_.expect(is_utf8(text), "P46", "the piece is not whole characters of UTF-8");
  const bool calls = piece.channel == RH_CHANNEL_TOOL_CALL;
  const bool begins = calls && piece.tool_call == calls_;
  report_.expect(begins == (piece.tool_name != nullptr) && (!calls || piece.tool_call <= calls_), "P46",
                 "a tool_name is there, or is not, in another place than the first piece of a call");
  if (begins) ++calls_;
  report_.expect(piece.token_count == 0 || (request_.tokens != 0 && piece.tokens != nullptr), "P46",
                 fmt::format("{} tokens came, which nobody asked for", piece.token_count));
  for (std::uint32_t i = 0; piece.tokens != nullptr && i < piece.token_count; ++i) {
    ids_.push_back(piece.tokens[i].id);
    report_.expect(piece.tokens[i].logprob <= 0 && piece.tokens[i].top_count <= request_.top_logprobs, "P46",
                   "a token has a logprob above 0, or more likely ones than asked for");
  }
  if (piece.channel == RH_CHANNEL_ANSWER) said_ += text;
  sent_ += fmt::format("{}", piece.channel) + text;
}

void TextWatch::on_report(void* context, const rh_text_report* report) {
  TextWatch& self = text_watch_of(context);
  self.on_own_thread("report");
  ++self.reports_;
  if (!self.report_.expect(roundhouse::reaches_floor(report), "P10",
                           "report: the record is NULL or too small"))
    return;
  self.told_ = *report;
  self.look_at(*report);
}

void TextWatch::look_at(const rh_text_report& report) {
  const bool by_stop = report.stop != UINT32_MAX;
  const bool sound = report.finish >= RH_FINISH_STOP && report.finish <= RH_FINISH_TOOL_CALLS &&
                     report.cached_tokens <= report.prompt_tokens &&
                     (request_.max_tokens == 0 || report.answer_tokens <= request_.max_tokens) &&
                     (!by_stop || (report.stop < request_.stop_count && report.finish == RH_FINISH_STOP)) &&
                     (report.finish != RH_FINISH_TOOL_CALLS || calls_ > 0);
  report_.expect(
      sound, "P47",
      fmt::format("the report does not add up: finish {}, {} of {} tokens cached, {} written, stop {}",
                  report.finish, report.cached_tokens, report.prompt_tokens, report.answer_tokens,
                  report.stop));
  report_.expect(prompt_tokens_ == 0 || prompt_tokens_ == report.prompt_tokens, "P47",
                 "the report has other prompt_tokens than sink->prompt was told");
}

}  // namespace conformance
