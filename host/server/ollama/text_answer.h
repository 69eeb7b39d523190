// SPDX-License-Identifier: Apache-2.0
// A text as /api/generate and /api/chat answer it: lines while it grows, and one with the counts; or all in
// one.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host/server/text_generation.h"

namespace roundhouse::host::ollama {

class TextLines {
 public:
  enum class Form { generate, chat };
  // `model` as the client wrote it. Services and exchange must outlive it.
  TextLines(const Services& services, http::Exchange& exchange, std::string model, bool stream, Form form)
      : services_(services),
        exchange_(exchange),
        model_(std::move(model)),
        wants_stream_(stream),
        form_(form) {}

  // Answers the exchange, or throws an Error that is the answer. `notes` join those of the run.
  void run(const TextRequest& request, std::optional<KeepAlive> keep_alive, std::vector<std::string> notes);

 private:
  using Json = nlohmann::ordered_json;
  Json line(const std::string& answer, const std::string& reasoning, bool done) const;
  void write(const Json& json);
  void on_piece(const TextPiece& piece);
  void end_call();
  Json last_line(const GeneratedText& text, std::vector<std::string> notes) const;

  const Services& services_;
  http::Exchange& exchange_;
  const std::string model_;
  const bool wants_stream_;
  const Form form_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  http::Stream* stream_ = nullptr;
  double load_milliseconds_ = 0;  // until the engine had the model, waiting included
  std::optional<ToolCall> call_;  // that is being written
};

}  // namespace roundhouse::host::ollama
