// SPDX-License-Identifier: Apache-2.0
// Texts and vectors on their way between host and worker.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "host/worker/frame.h"
#include "host/worker/ops/embed.h"
#include "host/worker/ops/text.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;

TextTask full_task() {
  TextTask task;
  task.messages = R"([{"role":"user","content":"\u00e9"}])";
  task.prompt = std::string("a\0b", 3);
  task.tools = "[]";
  task.response_format = R"({"type":"json_object"})";
  task.sampling.seed = UINT64_MAX >> 1;
  task.sampling.temperature = 0.1;
  task.sampling.top_k = 40;
  task.sampling.biases = {{3, -std::numeric_limits<float>::infinity()}, {4, 1.5F}};
  task.stops = {"", "END"};
  task.max_tokens = UINT32_MAX;
  task.shift = task.tokens = true;
  task.top_logprobs = 5;
  task.options = {{"speed", std::int64_t{3}}};
  return task;
}

TEST(TextMessages, BringATaskAsItWas) {
  const TextTask task = full_task(), read = text_task_of(message_of(task));
  EXPECT_EQ(read.messages, task.messages);
  EXPECT_EQ(read.prompt, task.prompt);
  EXPECT_EQ(read.tools, task.tools);
  EXPECT_EQ(read.response_format, task.response_format);
  EXPECT_EQ(read.template_variables, std::nullopt);
  EXPECT_EQ(read.sampling.seed, task.sampling.seed);
  EXPECT_EQ(read.sampling.temperature, task.sampling.temperature);
  EXPECT_EQ(read.sampling.biases, task.sampling.biases);
  EXPECT_EQ(read.stops, task.stops);
  EXPECT_EQ(read.max_tokens, task.max_tokens);
  EXPECT_TRUE(read.shift && read.tokens);
  EXPECT_EQ(read.top_logprobs, 5U);
  EXPECT_EQ(read.options.front().name, "speed");
}

TEST(TextMessages, BringAPieceWithBytesThatAreNoCharacters) {
  TextPiece piece{Channel::tool_call, "{}", "weather", 2, {}};
  TextToken token;
  static_cast<TopToken&>(token) = {7, -0.5F, "\xC3"};
  token.top = {{8, -std::numeric_limits<float>::infinity(), "\xA9"}};
  piece.tokens = {token};
  const TextPiece read = text_piece_of(message_of(piece));
  EXPECT_EQ(read.channel, Channel::tool_call);
  EXPECT_EQ(read.text, "{}");
  EXPECT_EQ(read.tool_name, "weather");
  EXPECT_EQ(read.tool_call, 2U);
  ASSERT_EQ(read.tokens.size(), 1U);
  EXPECT_EQ(read.tokens[0].bytes, "\xC3");
  EXPECT_EQ(read.tokens[0].top[0].bytes, "\xA9");
  EXPECT_TRUE(std::isinf(read.tokens[0].top[0].logprob));
}

TEST(TextMessages, ThatNoWorkerSendsAreRefused) {
  Message piece = message_of(TextPiece{Channel::answer, "four", {}, 0, {}});
  Message shorter = piece, longer = piece;
  shorter.payload.pop_back();
  longer.payload.push_back('x');
  EXPECT_THROW(text_piece_of(shorter), FrameError);
  EXPECT_THROW(text_piece_of(longer), FrameError);
  EXPECT_THROW(text_piece_of({R"({"channel":4,"text":0})"}), FrameError);
  EXPECT_THROW(text_piece_of({R"({"channel":1,"text":18446744073709551615})"}), FrameError);
  EXPECT_THROW(text_piece_of({R"({"channel":1,"text":-1})"}), FrameError);
  EXPECT_THROW(text_piece_of({"[]"}), FrameError);
  EXPECT_THROW(text_task_of({"{}"}), FrameError);
  EXPECT_THROW(embed_task_of({R"({"texts":[3]})"}), FrameError);
}

TEST(TextMessages, BringTextsToEmbed) {
  const EmbedTask task{{"one", "", std::string("\0", 1)}, 8, true, false, {}};
  const EmbedTask read = embed_task_of(message_of(task));
  EXPECT_THAT(read.texts, ElementsAre("one", "", std::string("\0", 1)));
  EXPECT_EQ(read.dimensions, 8U);
  EXPECT_TRUE(read.truncate);
  EXPECT_FALSE(read.normalise);
}

}  // namespace
}  // namespace roundhouse::host
