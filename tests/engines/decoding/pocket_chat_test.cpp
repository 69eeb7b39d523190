// SPDX-License-Identifier: Apache-2.0
// The model that comes along, held to what transformers computes: tokens, templates, greedy answers.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engines/kernels/kernels.h"
#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/tensor/run.h"
#include "engines/text/open_language_model.h"
#include "engines/tokenizer/chat_template.h"
#include "engines/tokenizer/tokenizer.h"
#include "tests/engines/text/read_text.h"

namespace engines::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path pocket_chat() {
  return fs::path(ROUNDHOUSE_MODELS) / "pocket-chat";
}

Json expected(const std::string& name) {
  std::ifstream stream(fs::path(ROUNDHOUSE_FIXTURES) / "pocket-chat" / name);
  return Json::parse(stream);
}

TEST(PocketChat, HasTheTokensOfTheOriginal) {
  const Tokenizer tokenizer = Tokenizer::load(pocket_chat());
  for (const Json& vector : expected("tokenizer_vectors.json")) {
    const std::string text = vector.at("text");
    EXPECT_EQ(tokenizer.encode(text), vector.at("ids").get<Ids>()) << text;
    EXPECT_EQ(tokenizer.decode(vector.at("ids").get<Ids>()), vector.at("decoded").get<std::string>());
  }
}

TEST(PocketChat, RendersConversationsAsTheOriginal) {
  const Tokenizer tokenizer = Tokenizer::load(pocket_chat());
  const ChatTemplate chat = ChatTemplate::load(pocket_chat());
  for (const Json& conversation : expected("chat_templates.json")) {
    Json variables = conversation.at("options");
    variables["messages"] = conversation.at("messages");
    if (!conversation.at("tools").is_null()) variables["tools"] = conversation.at("tools");
    const std::string text = chat.render(variables);
    EXPECT_EQ(text, conversation.at("text").get<std::string>()) << conversation.at("name");
    EXPECT_EQ(tokenizer.encode(text), conversation.at("ids").get<Ids>()) << conversation.at("name");
  }
}

TEST(PocketChat, AnswersAsTheOriginalWithWeightsThatWereNotRounded) {
  const auto kernels = make_openblas_kernels(2);
  const auto model = open_language_model(pocket_chat(), *kernels);
  for (const Json& answer : expected("greedy.json")) {
    const auto state = model->make_state();
    auto next = read_text(*model, *state, answer.at("prompt_ids").get<Ids>(), 64).choice();
    Ids ids;
    const auto end = answer.at("tokens_until_end");
    const std::size_t count = end.is_null() ? answer.at("ids").size() : end.get<std::size_t>();
    while (ids.size() < count) {
      ids.push_back(next);
      next = forward(*model, {{state.get(), std::span(&ids.back(), 1), 1}}).choice();
    }
    Ids wanted = answer.at("ids").get<Ids>();
    wanted.resize(count);
    EXPECT_EQ(ids, wanted) << answer.at("prompt");
  }
}

}  // namespace
}  // namespace engines::test
