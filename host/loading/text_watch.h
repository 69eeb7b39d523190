// SPDX-License-Identifier: Apache-2.0
// Stands between a plugin and the caller's sink for one text: checks what comes (rules P45 to P52 of
// CONTRACT.md), passes on what is sound, keeps exceptions of the caller from crossing the plugin.
#pragma once

#include <string>
#include <vector>

#include "host/loading/sink_watch.h"
#include "roundhouse/ext/text.h"

namespace roundhouse::host {

// Finds stop strings in a text that comes in parts. A part that is not the next one of the same text begins
// another.
class StopSearch {
 public:
  // Borrows the stops, as the request does.
  explicit StopSearch(const rh_text_request& request);
  // The index of a stop that stands whole in the text up to now; UINT32_MAX = none.
  std::uint32_t add(std::uint32_t channel, const rh_text_view& part);

 private:
  const rh_text_request& request_;
  std::size_t longest_ = 0;
  std::uint32_t channel_ = 0;
  std::string tail_;  // of the text: what a stop may begin in
};

// For one generate.
class TextWatch : public SinkWatch {
 public:
  TextWatch(std::string engine, const rh_text_request& request, const rh_text_sink& sink);

  const rh_text_sink* sink() const { return &own_; }

  // After a success: throws when a callback was misused, or when there was no report.
  void check_complete() const;

 private:
  static std::int32_t on_cancelled(void* context);
  static void on_prompt(void* context, std::uint32_t done, std::uint32_t tokens);
  static rh_status on_piece(void* context, const rh_text_piece* piece, rh_error* error);
  static void on_report(void* context, const rh_text_report* report);

  void check_prompt(std::uint32_t done, std::uint32_t tokens);
  void take_piece(const rh_text_piece* piece);
  void check_text(const rh_text_piece& piece);
  void check_tool(const rh_text_piece& piece);
  void check_tokens(const rh_text_piece& piece) const;
  void check_report(const rh_text_report& report) const;

  const rh_text_request& request_;
  const rh_text_sink& caller_;
  rh_text_sink own_;
  StopSearch stops_;
  std::uint32_t prompt_done_ = 0, prompt_tokens_ = 0;
  std::uint64_t bytes_ = 0;       // of all pieces
  std::uint32_t tool_calls_ = 0;  // that have begun
  bool reported_ = false;
};

// For one render.
class PromptWatch : public SinkWatch {
 public:
  PromptWatch(std::string engine, const rh_prompt_sink& sink);

  const rh_prompt_sink* sink() const { return &own_; }
  void check_complete() const;

 private:
  static void on_prompt(void* context, rh_text_view text, const std::int32_t* ids, std::uint64_t count);

  const rh_prompt_sink& caller_;
  rh_prompt_sink own_;
  bool told_ = false;
};

}  // namespace roundhouse::host
