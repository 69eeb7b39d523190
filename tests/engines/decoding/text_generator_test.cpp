// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/text_generator.h"

#include <gmock/gmock.h>

#include <thread>

#include "engines/decoding/open_text.h"
#include "engines/tensor/error.h"
#include "tests/engines/decoding/collected.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

using decoding::Finish;
using decoding::TextReport;
using decoding::TextRequest;

class TextGeneratorTest : public testing::Test {
 protected:
  const ReferenceCase reference{"qwen3-tiny-lm"};
  const ExpectedGroup expected{reference, "lm"};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  const decoding::OpenText open = decoding::open_text(reference.folder(), *kernels, {});

  TextRequest request(std::size_t prompt, std::uint32_t tokens = 48) const {
    TextRequest request;
    request.prompt = reference.json()["params"]["prompts"][prompt];
    request.max_tokens = tokens;
    request.tokens = true;
    return request;
  }
  std::vector<std::int32_t> greedy(std::size_t prompt) const {
    const Expected ids = expected.get("p" + std::to_string(prompt) + ".greedy");
    return {ids.values.begin(), ids.values.end()};
  }
};

TEST_F(TextGeneratorTest, GoesOnAsTheReferenceDoes) {
  for (const std::size_t prompt : {0U, 1U}) {
    Collected sink;
    const TextReport report = open.generator->generate(request(prompt), sink);
    EXPECT_EQ(sink.ids, greedy(prompt));
    EXPECT_EQ(report.finish, Finish::length);
    EXPECT_EQ(report.answer_tokens, 48U);
    EXPECT_EQ(report.prompt_tokens, expected.get("p" + std::to_string(prompt) + ".input_ids").values.size());
    const Tokenizer tokenizer = Tokenizer::load(reference.folder());
    std::erase_if(sink.ids, [&](std::int32_t id) { return id >= tokenizer.size(); });  // rows without token
    EXPECT_EQ(sink.answer, tokenizer.decode(sink.ids, true));
  }
}

TEST_F(TextGeneratorTest, StopsBeforeAStopString) {
  Collected whole;
  open.generator->generate(request(0), whole);
  const std::string stop = whole.answer.substr(20, 3);
  TextRequest asked = request(0);
  asked.stops = {"never in it", stop};
  Collected sink;
  const TextReport report = open.generator->generate(asked, sink);
  EXPECT_EQ(sink.answer, whole.answer.substr(0, whole.answer.find(stop)));
  EXPECT_EQ(report.finish, Finish::stop);
  EXPECT_EQ(report.stop, 1U);
  EXPECT_LT(report.answer_tokens, 48U);
}

TEST_F(TextGeneratorTest, TellsLogprobsOfTheLikeliest) {
  TextRequest asked = request(0, 3);
  asked.top_logprobs = 4;
  Collected sink;
  open.generator->generate(asked, sink);
  ASSERT_EQ(sink.tokens.size(), 3U);
  for (const auto& token : sink.tokens) {
    ASSERT_EQ(token.top.size(), 4U);
    EXPECT_EQ(token.top[0].id, token.id);
    EXPECT_EQ(token.top[0].logprob, token.logprob);
    EXPECT_LT(token.logprob, 0);
  }
}

TEST_F(TextGeneratorTest, ErrorsOfTheSinkEndIt) {
  Collected sink;
  sink.refuse_after = 3;
  EXPECT_THROW(open.generator->generate(request(0), sink), Error);
  EXPECT_EQ(sink.pieces, 3U);
  Collected next;
  open.generator->generate(request(0), next);
  EXPECT_EQ(next.ids, greedy(0));
}

TEST_F(TextGeneratorTest, HoldsAnswersToASchema) {
  TextRequest asked = request(0, 120);
  asked.response_format = R"({"type": "json_schema", "schema": {"type": "object", "properties": {
    "kind": {"enum": ["cat", "dog"]}, "age": {"type": "integer", "minimum": 3, "maximum": 20},
    "name": {"type": "string", "maxLength": 8}}, "required": ["kind", "age", "name"]}})";
  asked.sampling.temperature = 1.5;
  int finished = 0;
  for (asked.sampling.seed = 0; asked.sampling.seed < 12; ++asked.sampling.seed) {
    Collected sink;
    const TextReport report = open.generator->generate(asked, sink);
    if (report.finish != Finish::stop) continue;
    ++finished;
    const auto value = nlohmann::json::parse(sink.answer);
    EXPECT_TRUE(value["kind"] == "cat" || value["kind"] == "dog") << sink.answer;
    EXPECT_TRUE(value["age"] >= 3 && value["age"] <= 20) << sink.answer;
    EXPECT_TRUE(value["name"].is_string()) << sink.answer;
  }
  EXPECT_GT(finished, 3);
  asked.max_tokens = 2;
  Collected cut;
  EXPECT_EQ(open.generator->generate(asked, cut).finish, Finish::length);
  asked.response_format = R"({"type": "json_schema", "schema": {"not": {}}})";
  EXPECT_THROW(open.generator->generate(asked, cut), Error);
}

TEST_F(TextGeneratorTest, RefusesWhatIsNoRequest) {
  const auto code = [&](const TextRequest& asked) -> rh_status {
    Collected sink;
    try {
      open.generator->generate(asked, sink);
      return RH_OK;
    } catch (const Error& error) {
      return error.code();
    }
  };
  TextRequest asked;
  EXPECT_EQ(code(asked), RH_INVALID_ARGUMENT);
  for (const char* messages :
       {"", "{", "{}", "[]", "[1]", "[{}]", R"([{"role": 1}])", R"([{"role": "user", "content": [{}]}])"}) {
    asked.messages = messages;
    EXPECT_EQ(code(asked), RH_INVALID_ARGUMENT) << messages;
  }
  asked.messages = R"([{"role": "user", "content": [{"type": "image_url"}]}])";
  EXPECT_EQ(code(asked), RH_CAPABILITY_UNSUPPORTED);
  asked.messages = R"([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])";
  asked.max_tokens = 2;
  EXPECT_EQ(code(asked), RH_OK);
  asked.tools = "{}";
  EXPECT_EQ(code(asked), RH_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace engines::test
