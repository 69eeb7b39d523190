// SPDX-License-Identifier: Apache-2.0
// rh.text/1 for a plugin in C++: the request as a value and the sink that takes the pieces of the answer.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "roundhouse/error.hpp"
#include "roundhouse/ext/text.h"
#include "roundhouse/floor.hpp"
#include "roundhouse/options.hpp"

namespace roundhouse {

// The fields mean what rh_sampling says, and are within what it says.
struct Sampling {
  std::uint32_t top_k = 0;
  std::uint64_t seed = 0;
  double temperature = 0;
  double top_p = 1;
  double min_p = 0;
  double typical_p = 1;
  double repetition_penalty = 1;
  double presence_penalty = 0;
  double frequency_penalty = 0;
  std::uint32_t repeat_last_n = 0;
  std::uint32_t dry_allowed_length = 0;
  double dry_multiplier = 0;
  double dry_base = 1;
  double mirostat_tau = 0;
  double mirostat_eta = 0;
  std::vector<rh_logit_bias> biases;
};

// One answer to make; the fields mean what rh_text_request says. Views are the host's and end with the call.
struct TextRequest {
  std::uint32_t max_tokens = 0;
  std::optional<std::string_view> messages;  // or `prompt`
  std::string_view prompt;
  std::string_view tools, response_format, template_variables;  // empty = none
  Sampling sampling;
  std::vector<std::string_view> stops;  // none of them empty
  std::uint32_t window = 0;
  bool shift = false;  // RH_OVERFLOW_SHIFT
  std::uint32_t keep_tokens = 0;
  bool tokens = false;
  std::uint32_t top_logprobs = 0;
};

namespace detail {

inline std::string_view read_text(const rh_text_view& view, const std::string& name) {
  if (view.bytes == 0) return {};
  if (view.text == nullptr)
    throw Error(RH_INVALID_ARGUMENT, name + ": NULL, expected " + std::to_string(view.bytes) + " bytes");
  return {view.text, view.bytes};
}

inline double read_number(double value, const char* name, double low, double high) {
  if (value >= low && value <= high) return value;  // false for a NaN
  throw Error(RH_INVALID_ARGUMENT, "request.sampling." + std::string(name) + ": " + std::to_string(value) +
                                       ", expected " + std::to_string(low) + " to " + std::to_string(high));
}

inline void read_biases(const rh_sampling& from, Sampling& sampling) {
  if (from.bias_count == 0) return;
  if (from.biases == nullptr) throw Error(RH_INVALID_ARGUMENT, "request.sampling.biases: NULL");
  for (std::uint32_t i = 0; i < from.bias_count; ++i) {
    const rh_logit_bias& bias = from.biases[i];
    if (std::isnan(bias.bias) || bias.bias == INFINITY)
      throw Error(RH_INVALID_ARGUMENT, "request.sampling.biases: that of id " + std::to_string(bias.id) +
                                           " is not a number, expected one or -infinity");
    sampling.biases.push_back(bias);
  }
}

inline Sampling read_sampling(const rh_sampling* record) {
  constexpr double most = 1e6, least = 1e-6;
  const rh_sampling& from = checked(record, "request.sampling");
  Sampling sampling;
  sampling.top_k = from.top_k;
  sampling.seed = from.seed;
  sampling.temperature = read_number(from.temperature, "temperature", 0, most);
  sampling.top_p = read_number(from.top_p, "top_p", 0, 1);
  sampling.min_p = read_number(from.min_p, "min_p", 0, 1);
  sampling.typical_p = read_number(from.typical_p, "typical_p", 0, 1);
  sampling.repetition_penalty = read_number(from.repetition_penalty, "repetition_penalty", least, most);
  sampling.presence_penalty = read_number(from.presence_penalty, "presence_penalty", -most, most);
  sampling.frequency_penalty = read_number(from.frequency_penalty, "frequency_penalty", -most, most);
  sampling.repeat_last_n = from.repeat_last_n;
  sampling.dry_allowed_length = from.dry_allowed_length;
  sampling.dry_multiplier = read_number(from.dry_multiplier, "dry_multiplier", 0, most);
  sampling.dry_base = read_number(from.dry_base, "dry_base", 0, most);
  sampling.mirostat_tau = read_number(from.mirostat_tau, "mirostat_tau", 0, most);
  sampling.mirostat_eta = read_number(from.mirostat_eta, "mirostat_eta", 0, most);
  read_biases(from, sampling);
  return sampling;
}

inline std::vector<std::string_view> read_stops(const rh_text_request& from) {
  std::vector<std::string_view> stops;
  if (from.stop_count > 0 && from.stops == nullptr) throw Error(RH_INVALID_ARGUMENT, "request.stops: NULL");
  for (std::uint32_t i = 0; i < from.stop_count; ++i) {
    const std::string name = "request.stops[" + std::to_string(i) + "]";
    stops.push_back(read_text(from.stops[i], name));
    if (stops.back().empty()) throw Error(RH_INVALID_ARGUMENT, name + ": is empty");
  }
  return stops;
}

inline std::string_view read_list(const char* text) {
  return text == nullptr ? std::string_view() : std::string_view(text);
}

inline TextRequest read_text_request(const rh_text_request* record) {
  const rh_text_request& from = checked(record, "request");
  TextRequest request;
  request.max_tokens = from.max_tokens;
  if (from.messages != nullptr) request.messages = from.messages;
  request.prompt = read_text(from.prompt, "request.prompt");
  request.tools = read_list(from.tools);
  request.response_format = read_list(from.response_format);
  request.template_variables = read_list(from.template_variables);
  request.sampling = read_sampling(from.sampling);
  request.stops = read_stops(from);
  request.window = from.window;
  if (from.overflow != RH_OVERFLOW_ERROR && from.overflow != RH_OVERFLOW_SHIFT)
    throw Error(RH_INVALID_ARGUMENT, "request.overflow: " + std::to_string(from.overflow) +
                                         ", expected RH_OVERFLOW_ERROR or RH_OVERFLOW_SHIFT");
  request.shift = from.overflow == RH_OVERFLOW_SHIFT;
  request.keep_tokens = from.keep_tokens;
  request.tokens = from.tokens != 0;
  request.top_logprobs = from.top_logprobs;
  return request;
}

inline rh_text_view view_of_text(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace detail

// Why a text ended and what it took; the fields mean what rh_text_report says.
struct TextReport {
  std::uint32_t finish = RH_FINISH_STOP;
  std::uint32_t prompt_tokens = 0;
  std::uint32_t cached_tokens = 0;
  std::uint32_t answer_tokens = 0;
  std::optional<std::uint32_t> stop;
  std::chrono::nanoseconds prompt{};
  std::chrono::nanoseconds answer{};
  std::chrono::nanoseconds wait{};
};

// The host's ear during one generate. Every function but `cancelled` belongs to the thread of generate.
class TextSink {
 public:
  // Borrows both for the call.
  TextSink(const rh_text_sink* sink, const Options& options)
      : sink_(checked(sink, "sink")), options_(options) {
    if (sink_.cancelled == nullptr || sink_.piece == nullptr || sink_.report == nullptr)
      throw Error(RH_INVALID_ARGUMENT, "sink: a function is NULL");
  }

  // Whether to stop. Ask at least once a token and ten times a second while waiting. [any-thread]
  bool cancelled() const { return sink_.cancelled(sink_.context) != 0; }

  // So many tokens of the prompt are read, of `tokens` in all.
  void prompt(std::uint32_t done, std::uint32_t tokens) {
    options_.refuse_unread();
    if (sink_.prompt != nullptr) sink_.prompt(sink_.context, done, tokens);
  }

  // The next part. Throws what the host answers, UNKNOWN_OPTION when an option of the request was not read by
  // now, ENGINE_INTERNAL behind the report.
  void piece(const rh_text_piece& piece) {
    options_.refuse_unread();
    if (reported_) throw Error(RH_ENGINE_INTERNAL, "a piece came behind the report");
    rh_error error{sizeof error, RH_OK, {}};
    const rh_status status = sink_.piece(sink_.context, &piece, &error);
    if (status != RH_OK) throw Error(status, error.message);
  }

  // Text of the answer without more to say of it.
  void answer(std::string_view text) {
    rh_text_piece record{};
    record.struct_size = sizeof record;
    record.channel = RH_CHANNEL_ANSWER;
    record.text = detail::view_of_text(text);
    piece(record);
  }

  // The end, once.
  void report(const TextReport& report) {
    options_.refuse_unread();
    if (reported_) throw Error(RH_ENGINE_INTERNAL, "a second report was made, expected one");
    reported_ = true;
    const rh_text_report record{sizeof record,
                                report.finish,
                                report.prompt_tokens,
                                report.cached_tokens,
                                report.answer_tokens,
                                report.stop.value_or(UINT32_MAX),
                                static_cast<std::uint64_t>(report.prompt.count()),
                                static_cast<std::uint64_t>(report.answer.count()),
                                static_cast<std::uint64_t>(report.wait.count())};
    sink_.report(sink_.context, &record);
  }

  bool reported() const { return reported_; }

 private:
  const rh_text_sink& sink_;
  const Options& options_;
  bool reported_ = false;
};

// Where a rendered prompt goes.
class PromptSink {
 public:
  explicit PromptSink(const rh_prompt_sink* sink) : sink_(checked(sink, "sink")) {
    if (sink_.prompt == nullptr) throw Error(RH_INVALID_ARGUMENT, "sink.prompt: NULL, expected a function");
  }

  // Once.
  void prompt(std::string_view text, const std::vector<std::int32_t>& ids) {
    if (rendered_) throw Error(RH_ENGINE_INTERNAL, "a second prompt was rendered, expected one");
    rendered_ = true;
    sink_.prompt(sink_.context, detail::view_of_text(text), ids.data(), ids.size());
  }

  bool rendered() const { return rendered_; }

 private:
  const rh_prompt_sink& sink_;
  bool rendered_ = false;
};

// What a model does that speaks rh.text/1.
class TextTask {
 public:
  virtual ~TextTask() = default;

  // Makes one answer: reads its options, sends pieces, calls sink.report() once. Throws on failure.
  // [model-thread]: as many at once as calls() says.
  virtual void generate(const TextRequest& request, Options& options, TextSink& sink) = 0;

  // Tells what generate would read, and computes nothing. [model-thread]
  virtual void render(const TextRequest& request, Options& options, PromptSink& sink) = 0;
};

}  // namespace roundhouse
