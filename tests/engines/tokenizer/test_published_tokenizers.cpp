// SPDX-License-Identifier: Apache-2.0
// Ids and texts of published tokenizers as Hugging Face's own library has them: published_tokenizers.mjs asks
// it before this test.
#include "../weights/temporary_folder.h"
#include "engines/tokenizer/tokenizer.h"
#include "engines/tokenizer/unicode.h"

#include <nlohmann/json.hpp>

namespace engines {
namespace {

using PublishedIds = std::vector<std::int32_t>;

class PublishedTokenizers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto file = std::filesystem::path(ROUNDHOUSE_PUBLISHED) / (std::string(GetParam()) + ".json");
    ASSERT_TRUE(std::filesystem::exists(file)) << "published_tokenizers.mjs has not written " << file;
    judged_ = nlohmann::json::parse(std::ifstream(file));
  }
  nlohmann::json judged_;
};

TEST_P(PublishedTokenizers, AreReadAsTheLibraryReadsThem) {
  const Tokenizer tokenizer = Tokenizer::load(judged_.at("folder").get<std::string>());
  ASSERT_GT(judged_.at("rows").size(), 200u);
  for (const auto& row : judged_.at("rows")) {
    const auto text = row.at("text").get<std::string>();
    SCOPED_TRACE(row.at("text").dump().substr(0, 200));
    const auto ids = row.at("ids").get<PublishedIds>();
    EXPECT_EQ(tokenizer.encode(text, false), ids);
    EXPECT_EQ(tokenizer.encode(text), row.at("special").get<PublishedIds>());
    EXPECT_EQ(tokenizer.decode(ids), row.at("decoded").get<std::string>());
    EXPECT_EQ(tokenizer.decode(row.at("special").get<PublishedIds>(), true),
              row.at("skipped").get<std::string>());
    TokenStream stream(tokenizer);
    std::string streamed;
    for (const auto id : ids) {
      const std::string part = stream.push(id);
      ASSERT_EQ(unicode::first_invalid(part), std::string::npos);
      streamed += part;
    }
    EXPECT_EQ(streamed + stream.finish(), row.at("decoded").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Npm, PublishedTokenizers,
                         testing::Values("qwen3", "llama3", "llama2", "gemma3", "deepseek_v3", "gptoss",
                                         "gpt4o"));

}  // namespace
}  // namespace engines
