// SPDX-License-Identifier: Apache-2.0
// Every kind of stage and model against what Hugging Face's own library makes of the same texts (stages.json,
// which make_stages.mjs writes), and decoding one token at a time.
#include "../weights/temporary_folder.h"
#include "engines/tokenizer/tokenizer.h"
#include "engines/tokenizer/unicode.h"

#include <nlohmann/json.hpp>

namespace engines {
namespace {

using Json = nlohmann::json;
using TokenIds = std::vector<std::int32_t>;

const Json& stages_file() {
  static const Json file = Json::parse(std::ifstream(ROUNDHOUSE_STAGES));
  return file;
}

class Stages : public testing::TestWithParam<std::size_t> {
 protected:
  const Json& stages() const { return stages_file().at("cases").at(GetParam()).at("stages"); }
  const Json& rows() const { return stages_file().at("cases").at(GetParam()).at("rows"); }
  Tokenizer load() const {
    Json json = stages();
    if (!json.contains("model")) json["model"] = stages_file().at("model");
    folder_.write("tok/tokenizer.json", json.dump());
    return Tokenizer::load(folder_.path() / "tok");
  }
  TemporaryFolder folder_;
};

TEST_P(Stages, GiveTheIdsAndTextsOfTheLibrary) {
  SCOPED_TRACE(stages().dump().substr(0, 300));
  const Tokenizer tokenizer = load();
  for (std::size_t i = 0; i < rows().size(); ++i) {
    SCOPED_TRACE(stages_file().at("texts").at(i).dump());
    const Json& row = rows().at(i);
    const auto ids = row.at("ids").get<TokenIds>();
    EXPECT_EQ(tokenizer.encode(stages_file().at("texts").at(i).get<std::string>()), ids);
    EXPECT_EQ(tokenizer.decode(ids), row.at("decoded").get<std::string>());
    EXPECT_EQ(tokenizer.decode(ids, true), row.at("skipped").get<std::string>());
  }
}

TEST_P(Stages, DecodeTheSameOneTokenAtATime) {
  const Tokenizer tokenizer = load();
  for (const Json& row : rows()) {
    TokenStream stream(tokenizer);
    std::string text;
    for (const auto id : row.at("ids").get<TokenIds>()) {
      const std::string part = stream.push(id);
      EXPECT_EQ(unicode::first_invalid(part), std::string::npos);
      text += part;
    }
    EXPECT_EQ(text + stream.finish(), row.at("decoded").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Library, Stages, testing::Range<std::size_t>(0, stages_file().at("cases").size()));

class TokenStreams : public testing::Test {
 protected:
  // Tokens of all bytes and of some letters, read by the decoder.
  Tokenizer with_decoder(const Json& decoder) const {
    Json vocab;
    for (int byte = 0; byte < 256; ++byte)
      vocab[byte_token(byte)] = byte;
    vocab["a"] = 256;
    vocab["b"] = 257;
    const Json model = {
        {"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}, {"byte_fallback", true}};
    folder_.write("tok/tokenizer.json", Json{{"model", model}, {"decoder", decoder}}.dump());
    return Tokenizer::load(folder_.path() / "tok");
  }
  static std::string byte_token(int byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    return std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">";
  }
  static std::vector<std::string> pieces(const Tokenizer& tokenizer, const TokenIds& ids) {
    TokenStream stream(tokenizer);
    std::vector<std::string> all;
    for (const auto id : ids)
      all.push_back(stream.push(id));
    all.push_back(stream.finish());
    return all;
  }
  TemporaryFolder folder_;
};

using Parts = std::vector<std::string>;

TEST_F(TokenStreams, ACharacterLeavesWithItsLastByte) {
  const Tokenizer tokenizer = with_decoder({{"type", "ByteFallback"}});
  EXPECT_EQ(pieces(tokenizer, {256, 0xE2, 0x82, 0xAC, 257}), (Parts{"a", "", "", "\u20AC", "b", ""}));
  EXPECT_EQ(pieces(tokenizer, {0xF0, 0x9F, 0x98, 0x80}), (Parts{"", "", "", "\U0001F600", ""}));
}

TEST_F(TokenStreams, BytesThatNoCharacterComesOfAreReplaced) {
  const Tokenizer tokenizer = with_decoder({{"type", "ByteFallback"}});
  EXPECT_EQ(pieces(tokenizer, {0xE2, 0x82, 257}), (Parts{"", "",
                                                         "\uFFFD\uFFFD"
                                                         "b",
                                                         ""}));
  EXPECT_EQ(pieces(tokenizer, {0xE2, 0x82}), (Parts{"", "", "\uFFFD\uFFFD"}));
  EXPECT_EQ(pieces(tokenizer, {0xFF, 0x41}), (Parts{"\uFFFD", "A", ""}));
  // All at once the whole run is replaced, as the library does it.
  EXPECT_EQ(tokenizer.decode({0xFF, 0x41}), "\uFFFD\uFFFD");
}

TEST_F(TokenStreams, WhatMayBeStrippedAtTheEndWaits) {
  const Json strip = {{"type", "Strip"}, {"content", "b"}, {"start", 1}, {"stop", 1}};
  const Tokenizer tokenizer =
      with_decoder({{"type", "Sequence"}, {"decoders", Json::array({{{"type", "Fuse"}}, strip})}});
  EXPECT_EQ(pieces(tokenizer, {257, 257, 256, 257, 257, 256, 257}),
            (Parts{"", "", "ba", "", "b", "ba", "", ""}));
  EXPECT_EQ(tokenizer.decode({257, 257, 256, 257, 257}), "bab");
  EXPECT_EQ(tokenizer.decode({257}), "");
  EXPECT_EQ(tokenizer.decode({}), "");
}

TEST_F(TokenStreams, AnIdOutsideTheVocabularyIsAnInvalidArgument) {
  const Tokenizer tokenizer = with_decoder({{"type", "Fuse"}});
  TokenStream stream(tokenizer);
  expect_error([&] { stream.push(258); }, RH_INVALID_ARGUMENT,
               "id 258 is not in the vocabulary of 258 tokens");
  expect_error([&] { stream.push(-1); }, RH_INVALID_ARGUMENT, "id -1");
}

}  // namespace
}  // namespace engines
