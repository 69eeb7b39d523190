// SPDX-License-Identifier: Apache-2.0
// Chat templates of published models, rendered as transformers renders them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engines/tokenizer/chat_template.h"
#include "engines/tokenizer/tokenizer.h"

namespace engines {
namespace {

using Json = nlohmann::ordered_json;

Json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return Json::parse(stream);
}

const std::filesystem::path fixtures = ROUNDHOUSE_FIXTURES;

TEST(ChatTemplate, PromptsOfTheFixtureEqualTheReference) {
  const auto params = read_json(fixtures / "zimage-tiny/case.json").at("params");
  const auto chat = ChatTemplate::load(fixtures / "zimage-tiny/tokenizer");
  ASSERT_FALSE(params.at("prompts").empty());
  for (const auto& [name, prompt] : params.at("prompts").items())
    EXPECT_EQ(chat.render_prompt(prompt.get<std::string>(), true),
              params.at("chat_templated").at(name).get<std::string>())
        << name;
}

TEST(ChatTemplate, ThinkingThatIsSwitchedOffIsClosedAtOnce) {
  const auto chat = ChatTemplate::load(fixtures / "zimage-tiny/tokenizer");
  const Json message{{"role", "user"}, {"content", "x"}};
  const Json variables{
      {"messages", Json::array({message})}, {"add_generation_prompt", true}, {"enable_thinking", false}};
  EXPECT_EQ(chat.render(variables),
            "<|im_start|>user\nx<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
}

// Other people's templates are not part of this tree; the test runs where they lie beside it.
std::filesystem::path published_templates() {
  const char* const set = std::getenv("ROUNDHOUSE_SHARED_FIXTURES");
  return std::filesystem::path(set != nullptr ? set : ROUNDHOUSE_SHARED_FIXTURES) / "chat-templates";
}

TEST(PublishedChatTemplate, QwenThreeEqualsTheReferenceInTextAndIds) {
  const auto folder = published_templates() / "qwen3";
  if (!std::filesystem::exists(folder / "expected.json"))
    GTEST_SKIP() << "no published template at " << folder << " (set ROUNDHOUSE_SHARED_FIXTURES)";
  const auto chat = ChatTemplate::load(folder);
  const auto tokenizer = Tokenizer::load(folder);
  const auto cases = read_json(folder / "expected.json");
  ASSERT_GT(cases.size(), 10u);
  for (const auto& one : cases) {
    SCOPED_TRACE(one.dump());
    Json variables = one.at("options");
    variables["messages"] = one.at("messages");
    if (one.contains("tools")) variables["tools"] = one.at("tools");
    const std::string text = chat.render(variables);
    EXPECT_EQ(text, one.at("text").get<std::string>());
    EXPECT_EQ(tokenizer.encode(text), one.at("ids").get<std::vector<std::int32_t>>());
  }
}

}  // namespace
}  // namespace engines
