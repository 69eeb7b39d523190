// SPDX-License-Identifier: Apache-2.0
// Tokenizer files that do not fit together, and rules of added tokens.
#include <chrono>

#include "small_tokenizer.h"

namespace engines {
namespace {

const std::filesystem::path fixtures = ROUNDHOUSE_FIXTURES;

TEST_F(TokenizerFiles, NoFilesAreMissingWeights) {
  expect_error([&] { Tokenizer::load(folder_.path() / "tok"); }, RH_WEIGHTS_MISSING,
               "missing tok/tokenizer.json");
  folder_.write("tok/vocab.json", "{}");
  expect_error([&] { Tokenizer::load(folder_.path() / "tok"); }, RH_WEIGHTS_MISSING,
               "missing tok/merges.txt");
  folder_.write("tok/merges.txt", "");
  expect_error([&] { Tokenizer::load(folder_.path() / "tok"); }, RH_WEIGHTS_MISSING,
               "missing tok/tokenizer_config.json");
}

TEST_F(TokenizerFiles, ATruncatedFileIsRefusedWhereverItIsCut) {
  const std::string whole = small_tokenizer().dump();
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    folder_.write("tok/tokenizer.json", std::string_view(whole).substr(0, length));
    expect_error([&] { Tokenizer::load(folder_.path() / "tok"); }, RH_MODEL_INVALID, "is not valid JSON");
  }
}

TEST_F(TokenizerFiles, ATruncatedVocabularyIsRefused) {
  expect_refused([](Json& j) { j["model"]["vocab"].erase("aaaa"); }, "model.merges: merge 1");
  expect_refused([](Json& j) { j["model"]["vocab"].erase("q"); }, "no token for the byte 113, written 'q'");
  expect_refused([](Json& j) { j["model"]["vocab"] = Json::object(); }, "no token for the byte 0");
}

TEST_F(TokenizerFiles, MergesCutShortAreRefused) {
  expect_refused([](Json& j) { j["model"]["merges"].erase(2); }, "2 merges, and none of them makes");
  expect_refused([](Json& j) { j["model"]["merges"] = Json::array(); }, "0 merges");
  load([](Json& j) {
    j["model"]["merges"].erase(2);
    j["model"]["ignore_merges"] = true;
  });
}

TEST_F(TokenizerFiles, MergesOfUnknownTokensAreRefused) {
  expect_refused(
      [](Json& j) {
        j["model"]["merges"].push_back({"zz", "a"});
      },
      "'zz' is not in the vocabulary");
  expect_refused(
      [](Json& j) {
        j["model"]["merges"].push_back({"a", "b"});
      },
      "'ab' is not in the vocabulary");
}

TEST_F(TokenizerFiles, MergesOfTheWrongFormAreRefused) {
  for (const Json& merge :
       {Json("a"), Json("a b c"), Json::array({"a"}), Json::array({"a", "b", "c"}), Json(5),
        Json::array({"a", 5}), Json::object(), Json::array({Json::array({"a"}), "b"})})
    expect_refused([&](Json& j) { j["model"]["merges"].push_back(merge); },
                   "merge 3 is not a pair of tokens");
}

TEST_F(TokenizerFiles, IdsThatCollideAreRefused) {
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = 97; }, "share the id 97");
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = 5000; }, "the id 5000 of 'aa' is out of range");
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = 9999999999; },
                 "the id 9999999999 is out of range");
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = -1; }, "'aa' has no id");
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = "x"; }, "'aa' has no id");
  expect_refused([](Json& j) { j["model"]["vocab"]["aa"] = Json::object(); }, "'aa' has no id");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(260, "<z>")); }, "the same id comes twice");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(261, "<x>")); },
                 "the same content comes twice");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(97, "<z>")); }, "at this id");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(261, "aa")); },
                 "the vocabulary has it as 256");
  expect_refused([](Json& j) { j["added_tokens"][0]["id"] = 3000000000; }, "id: 3000000000 is out of range");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(261, "")); }, "is 0 bytes long");
  expect_refused([](Json& j) { j["added_tokens"].push_back(added(261, std::string(2000, '<'))); },
                 "is 2000 bytes long");
}

TEST_F(TokenizerFiles, AddedTokensMayLeaveIdsUnused) {
  const auto tokenizer = load([](Json& j) { j["added_tokens"].push_back(added(151643, "<z>")); });
  EXPECT_EQ(tokenizer.size(), 151644);
  EXPECT_EQ(tokenizer.encode("a<z>"), (std::vector<std::int32_t>{97, 151643}));
  EXPECT_EQ(tokenizer.decode({97, 151643}), "a<z>");
  expect_error([&] { tokenizer.decode({261}); }, RH_INVALID_ARGUMENT, "261");
}

Json template_of(const Json& single, int id) {
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"special_tokens", {{"<x>", {{"id", "<x>"}, {"ids", Json::array({id})}}}}}};
}
const Json special{{"SpecialToken", {{"id", "<x>"}, {"type_id", 0}}}};
const Json text_a{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};

TEST_F(TokenizerFiles, TheTemplateOfThePostProcessorPutsIdsAround) {
  const auto both = [](Json& j) {
    j["post_processor"] = template_of(Json::array({special, text_a, special}), 259);
  };
  EXPECT_EQ(load(both).encode("b"), (Ids{259, 98, 259}));
  EXPECT_EQ(load(both).encode("b", false), (Ids{98}));
  expect_refused(
      [](Json& j) {
        j["post_processor"] = template_of(Json::array({special, text_a}), 999);
      },
      "adds the id 999");
  expect_refused([](Json& j) { j["post_processor"] = template_of(Json::array({special}), 259); },
                 "has no sequence");
  expect_refused(
      [](Json& j) {
        j["post_processor"] = template_of(Json::array({text_a, text_a}), 259);
      },
      "is not supported");
}

TEST_F(TokenizerFiles, MergesAsTextAndAsPairsAreTheSame) {
  const auto as_text = [](Json& j) { j["model"]["merges"] = {"a a", "aa aa", "\u0120 a"}; };
  const auto as_they_are = [](Json&) {};
  for (const char* const text : {"aaaaaaa", " aab", "a aa aaa"})
    EXPECT_EQ(load(as_text).encode(text), load(as_they_are).encode(text));
  EXPECT_EQ(load(as_they_are).encode("aaaaaaa"), (Ids{257, 256, 97}));
}

// "aaa" is made of "a" and "aa", but its first two letters merge first, and then nothing does.
TEST_F(TokenizerFiles, APieceThatIsATokenIsTakenWholeOnlyWithIgnoreMerges) {
  const auto with_aaa = [](Json& j) {
    j["model"]["vocab"]["aaa"] = 261;
    j["model"]["merges"].push_back(Json::array({"a", "aa"}));
  };
  EXPECT_EQ(load(with_aaa).encode("aaa"), (Ids{256, 97}));
  const auto ignoring = [&](Json& j) {
    with_aaa(j);
    j["model"]["ignore_merges"] = true;
  };
  EXPECT_EQ(load(ignoring).encode("aaa"), (Ids{261}));
}

TEST_F(TokenizerFiles, OfAddedTokensTheLongestIsTaken) {
  const auto tokenizer = load([](Json&) {});
  EXPECT_EQ(tokenizer.encode("<x><y>b<x>"), (Ids{260, 98, 259}));
  EXPECT_EQ(tokenizer.encode("<x><x><y>"), (Ids{259, 260}));
  EXPECT_EQ(tokenizer.encode("<x"), (Ids{'<', 'x'}));
  EXPECT_EQ(tokenizer.decode({260, 98, 259}), "<x><y>b<x>");
  EXPECT_EQ(tokenizer.decode({260, 98, 259}, true), "b");
  EXPECT_EQ(tokenizer.size(), 261);
}

TEST_F(TokenizerFiles, TheFlagsOfAddedTokensAreHonoured) {
  const auto flagged = [this](const char* flag) {
    return load([&](Json& j) { j["added_tokens"][0][flag] = true; });
  };
  EXPECT_EQ(flagged("lstrip").encode("b  <x> b"), (Ids{98, 259, ' ', 98}));
  EXPECT_EQ(flagged("rstrip").encode("b <x> \n b"), (Ids{98, ' ', 259, 98}));
  EXPECT_EQ(flagged("single_word").encode("<x> b<x>"), (Ids{259, ' ', 98, '<', 'x', '>'}));
  // Looked for after normalisation: a composed letter is found where the text has it in two parts.
  const auto normalized = load([](Json& j) {
    j["added_tokens"].push_back(added(261, "<\u00e9>"));
    j["added_tokens"][2]["normalized"] = true;
  });
  EXPECT_EQ(normalized.encode("<e\u0301>"), (Ids{261}));
}

TEST_F(TokenizerFiles, TextThatIsNoUtf8IsAnInvalidArgument) {
  const auto tokenizer = load([](Json&) {});
  expect_error([&] { tokenizer.encode("ab\xFF"); }, RH_INVALID_ARGUMENT, "not valid UTF-8 at byte 2");
}

TEST_F(TokenizerFiles, IdsOutsideTheVocabularyAreInvalidArguments) {
  const auto tokenizer = load([](Json&) {});
  for (const std::int32_t id :
       {-1, 261, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
    expect_error([&] { tokenizer.decode({id}); }, RH_INVALID_ARGUMENT, std::to_string(id));
    expect_error([&] { tokenizer.token(id); }, RH_INVALID_ARGUMENT, "is not in the vocabulary of 261 tokens");
  }
}

TEST_F(TokenizerFiles, BytesThatAreNoTextDecodeToReplacements) {
  const auto tokenizer = load([](Json&) {});
  EXPECT_EQ(tokenizer.decode({0xE4, 0xBD, 98}),
            "\uFFFD"
            "b");
  EXPECT_EQ(tokenizer.decode({0xC3, 0xA9}), "\u00e9");
  EXPECT_EQ(tokenizer.decode({}), "");
}

TEST_F(TokenizerFiles, AMegabyteOfOneLetterTakesSeconds) {
  const auto tokenizer = load([](Json&) {});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(tokenizer.encode(std::string(1 << 20, 'a')).size(), (1u << 20) / 4);
  EXPECT_EQ(tokenizer.encode(std::string(1 << 20, '<')).size(), 1u << 20);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST_F(TokenizerFiles, TheTwoOldFilesGiveTheSameAsTheNewOne) {
  for (const char* const name : {"vocab.json", "merges.txt", "tokenizer_config.json"})
    std::filesystem::copy_file(fixtures / "qwen3-tiny-lm" / name, folder_.path() / name);
  const auto old_files = Tokenizer::load(folder_.path());
  const auto new_file = Tokenizer::load(fixtures / "qwen3-tiny-lm");
  EXPECT_EQ(old_files.size(), new_file.size());
  for (const char* const text :
       {"", "The old lighthouse stands", "<|im_start|>user\n<think>e\u0301 12</think>",
        "\u6625\u5929\u6765\u4E86\uFF0Ca quick test: 1 2 3\n"})
    EXPECT_EQ(old_files.encode(text), new_file.encode(text)) << text;
}

TEST_F(TokenizerFiles, MistakesInTheOldFilesAreNamed) {
  const Json vocab = small_model()["vocab"];
  const std::string config = R"({"tokenizer_class":"GPT2Tokenizer"})";
  const auto refused = [&](const std::string& vocab_text, const std::string& merges,
                           const std::string& config_text, const std::string& message) {
    folder_.write("old/vocab.json", vocab_text);
    folder_.write("old/merges.txt", merges);
    folder_.write("old/tokenizer_config.json", config_text);
    expect_error([&] { Tokenizer::load(folder_.path() / "old"); }, RH_MODEL_INVALID, message);
  };
  refused("[]", "", config, "old/vocab.json: is [], expected an object");
  refused(R"({"a":"b"})", "", config, "old/vocab.json: 'a': 'b' is not an id");
  refused(vocab.dump(), "#version: 0.2\na a\nabc\n", config, "old/merges.txt: line 3: 'abc' is not a pair");
  refused(vocab.dump(), "a b\n", config,
          "old/merges.txt: merge 0 ('a' and 'b'): 'ab' is not in the vocabulary");
  refused(vocab.dump(), "", R"({"tokenizer_class":"T5Tokenizer"})", "'T5Tokenizer' is not supported");
  refused(vocab.dump(), "", R"({"tokenizer_class":"GPT2Tokenizer","add_bos_token":true})", "add_bos_token");
  refused(vocab.dump(), "",
          R"({"tokenizer_class":"GPT2Tokenizer","added_tokens_decoder":{"x":{"content":"y"}}})",
          "'x' is not an id");
  folder_.write("old/tokenizer_config.json", config);
  folder_.write("old/merges.txt", "#version: 0.2\r\na a\r\naa aa\r\n\u0120 a\r\n");
  EXPECT_EQ(Tokenizer::load(folder_.path() / "old").encode("aa 12"), (Ids{256, ' ', '1', '2'}));
}

}  // namespace
}  // namespace engines
