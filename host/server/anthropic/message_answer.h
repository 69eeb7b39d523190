// SPDX-License-Identifier: Apache-2.0
// A message as Anthropic's clients read it: whole, or as events while it is written.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host/server/anthropic/message_request.h"
#include "host/server/openai/text_json.h"
#include "host/server/text_generation.h"

namespace roundhouse::host::anthropic {

class MessageAnswer {
 public:
  // All must outlive it.
  MessageAnswer(const Services& services, http::Exchange& exchange, MessageOrder order)
      : services_(services), exchange_(exchange), order_(std::move(order)) {}

  // Answers the exchange, or throws an Error that is the answer.
  void run();

 private:
  using Json = nlohmann::ordered_json;
  Json message(Json content) const;
  void write(const char* type, Json json);
  void begin(const TextPlan& plan);
  void on_piece(const TextPiece& piece);
  void begin_block(Channel channel, Json block);
  void end_block();
  Json content_of(const TextAnswer& answer) const;
  void send_whole(const GeneratedText& text);
  void end_stream(const GeneratedText& text);

  const Services& services_;
  http::Exchange& exchange_;
  const MessageOrder order_;
  const std::string id_ = openai::fresh_name("msg_");
  std::string model_;
  http::Stream* stream_ = nullptr;
  std::optional<Channel> block_;  // that is open
  std::uint32_t blocks_ = 0;      // that are closed
};

}  // namespace roundhouse::host::anthropic
