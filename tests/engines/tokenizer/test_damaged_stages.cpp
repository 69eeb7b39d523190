// SPDX-License-Identifier: Apache-2.0
// Stages and models of tokenizer.json that are damaged, or ask for what is not supported.
#include "small_tokenizer.h"

namespace engines {
namespace {

using DamagedStages = TokenizerFiles;

TEST_F(DamagedStages, WhatIsNotSupportedIsRefusedByName) {
  expect_refused([](Json& j) { j["model"]["type"] = "Morse"; },
                 "model: type: 'Morse' is not supported, expected one of 'BPE', 'Unigram', ");
  expect_refused([](Json& j) { j["model"]["dropout"] = 0.5; }, "dropout");
  expect_refused([](Json& j) { j["normalizer"]["type"] = "NFX"; },
                 "normalizer: type: 'NFX' is not supported, expected one of 'BertNormalizer', ");
  expect_refused([](Json& j) { j["pre_tokenizer"]["type"] = "UnicodeScripts"; },
                 "pre_tokenizer: type: 'UnicodeScripts' is not supported, expected one of ");
  expect_refused([](Json& j) { j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Odd"; },
                 "pretokenizers: element 0: behavior: 'Odd' is not supported");
  expect_refused([](Json& j) { j["post_processor"] = {{"type", "Odd"}}; }, "post_processor: type: 'Odd'");
  expect_refused([](Json& j) { j["decoder"]["type"] = "Odd"; }, "decoder: type: 'Odd'");
  expect_refused([](Json& j) { j["normalizer"] = 5; }, "normalizer: is 5, expected an object");
  expect_refused([](Json& j) { j["model"] = 5; }, "model: 5 is not an object");
  expect_refused([](Json& j) { j.erase("model"); }, "model: is missing");
  expect_refused([](Json& j) { j["added_tokens"] = 5; }, "added_tokens: 5 is not an array");
}

TEST_F(DamagedStages, DamagedStagesAreRefusedWithTheirPlace) {
  const auto normalizer = [](const Json& stage) { return [stage](Json& j) { j["normalizer"] = stage; }; };
  const auto splitter = [](const Json& stage) { return [stage](Json& j) { j["pre_tokenizer"] = stage; }; };
  const auto decoder = [](const Json& stage) { return [stage](Json& j) { j["decoder"] = stage; }; };
  const auto processor = [](const Json& stage) { return [stage](Json& j) { j["post_processor"] = stage; }; };
  const auto replace = [](const Json& pattern) {
    return Json{{"type", "Replace"}, {"pattern", pattern}, {"content", "x"}};
  };
  expect_refused(normalizer(replace({{"Regex", "(a"}})),
                 "normalizer: pattern: Regex: '(a' is not a regular expression that Oniguruma understands: ");
  expect_refused(normalizer(replace({{"Regex", std::string(70000, 'a')}})), "is 70000 bytes long");
  expect_refused(normalizer(replace({{"Odd", "a"}})), "pattern: String: is missing");
  expect_refused(normalizer(replace(5)), "pattern: 5 is not an object");
  expect_refused(normalizer({{"type", "Replace"}, {"content", "x"}}), "pattern: is missing");
  expect_refused(normalizer({{"type", "Sequence"}, {"normalizers", 7}}), "normalizers: 7 is not an array");
  const auto charsmap = [](const char* base64) {
    return Json{{"type", "Precompiled"}, {"precompiled_charsmap", base64}};
  };
  expect_refused(normalizer(charsmap("%%%%")), "precompiled_charsmap: is not base64");
  expect_refused(normalizer(charsmap("/////w==")),
                 "precompiled_charsmap: is damaged: its trie has 4294967295 of 4 bytes");
  expect_refused(normalizer(charsmap("BAAAAAAAAAD/")), "its texts are not valid UTF-8 at byte 0");
  expect_refused(splitter({{"type", "Metaspace"}, {"replacement", "ab"}}),
                 "replacement: 'ab' is not one character");
  expect_refused(splitter({{"type", "Metaspace"}, {"prepend_scheme", "last"}}), "prepend_scheme: 'last'");
  expect_refused(splitter({{"type", "FixedLength"}, {"length", 0}}), "length: 0 is out of range");
  expect_refused(decoder({{"type", "Strip"}, {"content", "x"}, {"start", -1}}), "start: -1 is out of range");
  expect_refused(decoder({{"type", "Strip"}, {"content", ""}}), "content: '' is not one character");
  expect_refused(processor({{"type", "BertProcessing"}, {"cls", {"x"}}, {"sep", {"x", 1}}}),
                 "cls: is not a token and its id");
  expect_refused(processor({{"type", "BertProcessing"}, {"cls", {"x", 1}}, {"sep", {"x", 3000000000}}}),
                 "sep: is not a token and its id");
}

TEST_F(DamagedStages, DamagedUnigramsAreRefusedWithTheirPlace) {
  const auto with = [](const Json& vocab, const Json& unk) {
    return [=](Json& j) { j["model"] = {{"type", "Unigram"}, {"vocab", vocab}, {"unk_id", unk}}; };
  };
  const Json good = Json::array({Json::array({"<unk>", 0}), Json::array({"a", -1.5})});
  const auto plus = [&](const Json& piece) {
    Json all = good;
    all.push_back(piece);
    return all;
  };
  for (const Json& piece :
       {Json("b"), Json::array({"b"}), Json::array({"b", "c"}), Json::array({1, 2}), Json::array({"b", 1, 2}),
        Json::array({"b", Json::array()}), Json::array({"b", nullptr}), Json(5), Json::object()})
    expect_refused(with(plus(piece), 0), "model.vocab: element 2 is not a token and its score");
  expect_refused(with(good, 2), "unk_id: 2 is not an id of the vocabulary");
  expect_refused(with(good, 3000000000), "unk_id: 3000000000 is out of range");
  expect_refused(with(plus(Json::array({std::string(2000, 'b'), -1})), 0), "a token is 2000 bytes long");
  expect_refused([&](Json& j) { j["model"]["vocab"] = good; }, "model: vocab: has scores instead of ids");
  expect_refused([](Json& j) { j["model"]["type"] = "Unigram"; }, "model: vocab: has no scores");
}

TEST_F(DamagedStages, WithoutAnUnknownTokenAnUnknownCharacterIsRefused) {
  const auto tokenizer = load([](Json& j) {
    j = {{"model", {{"type", "Unigram"}, {"vocab", Json::array({Json::array({"a", -1.5})})}}}};
  });
  EXPECT_EQ(tokenizer.encode("aa"), (Ids{0, 0}));
  expect_error([&] { tokenizer.encode("ab"); }, RH_MODEL_INVALID, "has no unk_id, and no token for 'b'");
  const auto words = load([](Json& j) {
    j = {{"model", {{"type", "WordPiece"}, {"unk_token", "x"}, {"vocab", {{"a", 0}}}}}};
  });
  expect_error([&] { words.encode("b"); }, RH_MODEL_INVALID, "has no unknown token, and none for 'b'");
}

TEST_F(DamagedStages, StagesThatGrowATextWithoutEndAreRefused) {
  Json doubling = Json::array();
  for (int i = 0; i < 40; ++i)
    doubling.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  const auto tokenizer = load([&](Json& j) {
    j["normalizer"] = {{"type", "Sequence"}, {"normalizers", doubling}};
  });
  expect_error([&] { tokenizer.encode("a"); }, RH_INVALID_ARGUMENT,
               "the tokenizer's normalizer makes more than");
  Json levels = Json::array();
  for (int i = 0; i < 60; ++i)
    levels.push_back({{"type", "ByteLevel"}, {"use_regex", false}});
  const auto splitter = load([&](Json& j) {
    j["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", levels}};
  });
  expect_error([&] { splitter.encode("\u00e9"); }, RH_INVALID_ARGUMENT,
               "the tokenizer's stages make more than");
}

}  // namespace
}  // namespace engines
