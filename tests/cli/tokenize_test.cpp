// SPDX-License-Identifier: Apache-2.0
// `tokenize` from outside: models, directories of a tokenizer alone, lines of JSON, and what is refused.
#include <fstream>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Tokenize : public Program {
 protected:
  Tokenize() {
    const fs::path fixtures = fs::path(ROUNDHOUSE_FIXTURES);
    fs::create_directories(work() / "alone");
    fs::copy(fixtures / "llama-tiny-lm/tokenizer.json", work() / "alone/tokenizer.json");
    fs::copy(fixtures / "zimage-tiny", work() / "tiny", fs::copy_options::recursive);
    vectors_ =
        nlohmann::json::parse(std::ifstream(fixtures / "llama-tiny-lm/expected/tokenizer_vectors.json"));
  }
  // The rows of a table of lines, each an array.
  static std::string lines_of(const nlohmann::json& vectors, const char* field) {
    std::string lines;
    for (const auto& vector : vectors)
      lines += vector.at(field).dump() + "\n";
    return lines;
  }
  nlohmann::json vectors_;
};

TEST_F(Tokenize, LinesOfJsonBecomeArraysOfIds) {
  const std::string input = lines_of(vectors_, "text");
  const Outcome with = run({"tokenize", "--model", "./alone", "--json-lines"}, input);
  EXPECT_EQ(with.status, 0) << with.err;
  EXPECT_EQ(with.out, lines_of(vectors_, "ids"));
  const Outcome without = run({"tokenize", "--model", "./alone", "--json-lines", "--no-special"}, input);
  EXPECT_EQ(without.out, lines_of(vectors_, "ids_no_special"));
}

TEST_F(Tokenize, ATextIsGivenOrReadFromStandardInput) {
  const Outcome given = run({"tokenize", "a red mushroom", "--model", "./tiny", "--json"});
  EXPECT_EQ(given.status, 0) << given.err;
  EXPECT_FALSE(given.json().at("ids").empty());
  const Outcome piped = run({"tokenize", "--model", "./tiny", "--json"}, "a red mushroom");
  EXPECT_EQ(piped.json(), given.json());
  const Outcome by_name = run({"tokenize", "a red mushroom", "--model", "pocket-turbo"});
  EXPECT_EQ(by_name.status, 0) << by_name.err;
}

TEST_F(Tokenize, WhatIsNotThereOrDamagedIsNamed) {
  EXPECT_THAT(run({"tokenize", "a", "--model", "./none"}).err, HasSubstr("MODEL_NOT_FOUND"));
  fs::create_directories(work() / "empty");
  EXPECT_THAT(run({"tokenize", "a", "--model", "./empty"}).err, HasSubstr("has no tokenizer"));
  EXPECT_THAT(run({"tokenize", "a", "--model", "./alone", "--engine", "none"}).err,
              HasSubstr("engine 'none' was not found"));
  EXPECT_THAT(run({"tokenize", "a", "--model", "./alone", "--engine", "testcard"}).err,
              HasSubstr("CAPABILITY_UNSUPPORTED"));
  const Outcome line = run({"tokenize", "--model", "./alone", "--json-lines"}, "\"a\"\nb\n");
  EXPECT_THAT(line.out, StartsWith("["));
  EXPECT_THAT(line.err, HasSubstr("line 2 is not a JSON string"));
  std::ofstream(work() / "alone/tokenizer.json") << R"({"model":{"type":"Morse"}})";
  EXPECT_THAT(run({"tokenize", "a", "--model", "./alone"}).err,
              HasSubstr("model: type: 'Morse' is not supported"));
}

}  // namespace
}  // namespace roundhouse::test
