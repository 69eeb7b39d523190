// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/chat_parser.h"

#include <gmock/gmock.h>

#include "engines/decoding/tool_calls.h"

namespace engines::test {
namespace {

using decoding::chat_format_of;
using decoding::ChatFormat;
using decoding::ChatParser;
using decoding::KnownTools;

const KnownTools kTools{"get_weather", "add"};
const ChatFormat kQwen = chat_format_of("{{ '<tool_call>' }} {{ '<think>' }}");
const ChatFormat kLlama = chat_format_of("<|start_header_id|> \"parameters\"");
const ChatFormat kMistral = chat_format_of("[TOOL_CALLS]");
const ChatFormat kGemma = chat_format_of("<start_of_turn>model");

// "R:thought A:answer T:name{...}": what was sent, put together.
std::string shown(ChatParser parser, const std::vector<std::string>& pieces) {
  std::string text, last;
  const auto add = [&](const std::vector<decoding::OutputPart>& parts) {
    for (const auto& part : parts) {
      const std::string kind = part.channel == decoding::Channel::answer ? "A"
                               : part.channel == decoding::Channel::reasoning
                                   ? "R"
                                   : "T" + std::to_string(part.tool_call);
      if (kind != last) text += "|" + kind + ":";
      last = kind;
      if (part.tool_name) text += *part.tool_name;
      text += part.text;
    }
  };
  for (const std::string& piece : pieces)
    add(parser.push(piece));
  add(parser.finish());
  return text;
}

// However the text is cut into two or into bytes.
void expect_parts(const ChatFormat& format, const std::string& text, const std::string& expected,
                  const KnownTools& tools = kTools, bool reasons = false) {
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(shown({format, reasons, tools}, {text.substr(0, cut), text.substr(cut)}), expected) << cut;
  std::vector<std::string> bytes;
  for (const char byte : text)
    bytes.emplace_back(1, byte);
  EXPECT_EQ(shown({format, reasons, tools}, bytes), expected);
}

TEST(ChatParser, TellsReasoningFromTheAnswer) {
  expect_parts(kQwen, "<think>\nI see.\nYes.\n</think>\n\nThe answer <b>\n",
               "|R:I see.\nYes.|A:The answer <b>\n");
  expect_parts(kQwen, "I see.\n</think>\n\nAnswer", "|R:I see.|A:Answer", {}, true);
  expect_parts(kQwen, "never closed </thin", "|R:never closed </thin", {}, true);
  expect_parts(kQwen, "  <think></think>A", "|A:A");
  expect_parts(kQwen, "Not <think> here </think>", "|A:Not <think> here </think>");
  expect_parts(kQwen, " <thin", "|A: <thin");
  expect_parts(kLlama, "<think>a</think>", "|A:<think>a</think>");
}

TEST(ChatParser, FindsCallsOfQwenAndHermes) {
  const std::string call = R"(<tool_call>
{"name": "get_weather", "arguments": {"city": "Bonn </tool_call>", "days": [1, 2]}}
</tool_call>)";
  const std::string sent = R"(get_weather{"city":"Bonn </tool_call>","days":[1,2]})";
  expect_parts(kQwen, call, "|T0:" + sent);
  expect_parts(kQwen, "I look.\n" + call + "\n" + call + "\n", "|A:I look.|T0:" + sent + "|T1:" + sent);
  expect_parts(kQwen, "<think>x</think>\n\n" + call + "done", "|R:x|T0:" + sent + "|A:done");
  expect_parts(kQwen, "<tool_call>{\"name\": \"add\", \"arguments\": null}", "|T0:add{}");
  expect_parts(kQwen, "a < b <tool", "|A:a < b <tool");
  expect_parts(kQwen, call, "|A:" + call, {});
}

TEST(ChatParser, WhatIsNoCallIsText) {
  for (const std::string body : {"{\"name\": 1}", "{}", "[1]", "{\"name\": \"add\", \"arguments\": 7}",
                                 "{\"name\": \"add\"", "nonsense", "", "{\"name\": \"a\\nb\"}"}) {
    const std::string text = "<tool_call>" + body + "</tool_call> and";
    expect_parts(kQwen, text, "|A:" + text);
  }
}

TEST(ChatParser, FindsCallsOfLlama) {
  const std::string call = R"({"name": "get_weather", "parameters": {"city": "Bonn"}})";
  const std::string sent = R"(get_weather{"city":"Bonn"})";
  expect_parts(kLlama, call, "|T0:" + sent);
  expect_parts(kLlama, "\n" + call + "; " + call, "|T0:" + sent + "|T1:" + sent);
  expect_parts(kLlama, "<|python_tag|>" + call, "|T0:" + sent);
  expect_parts(kLlama, "See " + call, "|A:See " + call);
  expect_parts(kLlama, R"({"name": "Mia", "age": 3} is JSON)", R"(|A:{"name": "Mia", "age": 3} is JSON)");
  expect_parts(kLlama, "<|python_tag|>print(1)", "|A:<|python_tag|>print(1)");
}

TEST(ChatParser, FindsCallsOfMistral) {
  expect_parts(
      kMistral,
      R"([TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {"a": 2}}])",
      R"(|T0:add{"a":1}|T1:add{"a":2})");
  expect_parts(kMistral, R"(Well. [TOOL_CALLS]add[ARGS]{"a": "]"})", R"(|A:Well.|T0:add{"a":"]"})");
  expect_parts(kMistral, R"([TOOL_CALLS]add[CALL_ID]abcdefghi[ARGS]{}[TOOL_CALLS]add{"a": 1})",
               R"(|T0:add{}|T1:add{"a":1})");
  expect_parts(kMistral, "[TOOL_CALLS] [1]", "|A:[TOOL_CALLS] [1]");
}

TEST(ChatParser, FindsCallsOfGemma) {
  expect_parts(kGemma,
               "```tool_code\nprint(get_weather(city='Bonn', days=[1, -2.5], now=True, x=None))\n```\n",
               R"(|T0:get_weather{"city":"Bonn","days":[1,-2.5],"now":true,"x":null})");
  expect_parts(kGemma, "Sure:\n```json\n{\"name\": \"add\", \"parameters\": {\"a\": 1}}\n```",
               R"(|A:Sure:|T0:add{"a":1})");
  expect_parts(kGemma, "[add(a=1), add(a=2)]", "|A:[add(a=1), add(a=2)]");
  expect_parts(kGemma, "```tool_code\n[add(a=1), add(a={'k': \"v\"})]\n```",
               R"(|T0:add{"a":1}|T1:add{"a":{"k":"v"}})");
  expect_parts(kGemma, "```json\n{\"a\": 1}\n```\nthat", "|A:```json\n{\"a\": 1}\n```\nthat");
  expect_parts(kGemma, "```tool_code\nos.system(cmd='x')\n```", "|A:```tool_code\nos.system(cmd='x')\n```");
}

TEST(ChatParser, SaysSpecialTokensThatAreMarks) {
  const ChatParser parser(kLlama, false, kTools);
  EXPECT_EQ(parser.mark("<|python_tag|>"), "<|python_tag|>");
  EXPECT_EQ(parser.mark("<|eot_id|>"), "");
}

TEST(ToolCalls, EndsJsonBehindItsBracket) {
  EXPECT_EQ(decoding::json_end(R"({"a": "}\"}"} rest)"), 13U);
  EXPECT_EQ(decoding::json_end(R"({"a": [)"), std::nullopt);
  EXPECT_EQ(decoding::json_end(R"({"a\)"), std::nullopt);
}

}  // namespace
}  // namespace engines::test
