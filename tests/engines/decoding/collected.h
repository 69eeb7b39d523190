// SPDX-License-Identifier: Apache-2.0
// What an answer sends, put together.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engines/decoding/text_values.h"
#include "engines/tensor/error.h"

namespace engines::test {

class Collected : public decoding::TextSink {
 public:
  bool cancelled() override { return false; }
  void prompt(std::int64_t, std::int64_t) override {}
  void piece(decoding::TextPiece piece) override {
    if (pieces == refuse_after) throw Error(RH_IO_ERROR, "refused");
    ++pieces;
    if (piece.channel == decoding::Channel::answer) answer += piece.text;
    if (piece.channel == decoding::Channel::reasoning) reasoning += piece.text;
    if (piece.tool_name) calls.emplace_back(*piece.tool_name, "");
    if (piece.channel == decoding::Channel::tool_call) calls.at(piece.tool_call).second += piece.text;
    for (decoding::AnswerToken& token : piece.tokens) {
      ids.push_back(token.id);
      tokens.push_back(std::move(token));
    }
  }

  std::string answer, reasoning;
  std::vector<std::pair<std::string, std::string>> calls;  // name and arguments
  std::vector<std::int32_t> ids;
  std::vector<decoding::AnswerToken> tokens;
  std::size_t pieces = 0, refuse_after = std::numeric_limits<std::size_t>::max();
};

}  // namespace engines::test
