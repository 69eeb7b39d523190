// SPDX-License-Identifier: Apache-2.0
// A sink that watches one text: what it was told, when and on which thread.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "roundhouse/ext/text.h"
#include "sdk/conformance/subject.h"

namespace conformance {

class TextWatch {
 public:
  TextWatch(Report& report, const rh_text_request& request);

  bool stop = false;         // the host asks to stop, from the first piece on
  rh_status answer = RH_OK;  // what the sink's piece function returns

  // Runs generate and checks what can be checked whatever the result is (P45 to P48, P51).
  rh_status generate(rh_model* model, const rh_text& text, rh_error* error);

  // All that was sent, with the channels; the answer alone.
  const std::string& sent() const { return sent_; }
  const std::string& said() const { return said_; }
  const std::vector<std::int32_t>& ids() const { return ids_; }
  unsigned pieces() const { return pieces_; }
  unsigned reports() const { return reports_; }
  unsigned asked() const { return asked_; }
  const rh_text_report& report() const { return told_; }

 private:
  static int32_t on_cancelled(void* context);
  static void on_prompt(void* context, uint32_t done, uint32_t tokens);
  static rh_status on_piece(void* context, const rh_text_piece* piece, rh_error* error);
  static void on_report(void* context, const rh_text_report* report);

  void on_own_thread(const char* callback);
  void look_at(const rh_text_piece& piece);
  void look_at(const rh_text_report& report);

  Report& report_;
  const rh_text_request& request_;
  rh_text_sink sink_;
  std::thread::id thread_;
  std::atomic<bool> inside_{false};
  std::atomic<unsigned> asked_{0};
  unsigned pieces_ = 0, reports_ = 0;
  std::uint32_t prompt_done_ = 0, prompt_tokens_ = 0, calls_ = 0;
  std::string sent_, said_;
  std::vector<std::int32_t> ids_;
  rh_text_report told_{};
};

}  // namespace conformance
