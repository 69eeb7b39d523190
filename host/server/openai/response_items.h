// SPDX-License-Identifier: Apache-2.0
// The items of an answer, in the order in which they were begun.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host/app/text.h"

namespace roundhouse::host::openai {

// Puts pieces into items (a message, its reasoning, calls of functions) and tells each change as an event of
// the stream. One thread.
class ResponseItems {
 public:
  using Json = nlohmann::ordered_json;
  using Tell = std::function<void(const char* type, Json event)>;
  explicit ResponseItems(Tell tell) : tell_(std::move(tell)) {}

  void add(const TextPiece& piece);
  // The item that is open, if any, is complete, or cut short.
  void end(bool complete);

  const Json& output() const { return output_; }  // items that have ended
  // Of reasoning, where pieces carry their tokens.
  std::uint64_t reasoning_tokens() const { return reasoning_tokens_; }
  // The same as a message of a chat.
  Json message() const;

 private:
  void begin(Channel channel, const TextPiece& piece);
  void tell(const char* type, Json event);
  void tell_part(const char* type, Json event);

  const Tell tell_;
  Json output_ = Json::array();
  std::optional<Channel> channel_;  // of the open item
  Json item_;
  std::string text_;
  std::uint64_t reasoning_tokens_ = 0;
};

}  // namespace roundhouse::host::openai
