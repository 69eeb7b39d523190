// SPDX-License-Identifier: Apache-2.0
// The JSON reader that every file from a model directory goes through.
#include "engines/weights/json_file.h"

#include "temporary_folder.h"

namespace engines {
namespace {

TEST(JsonFile, TheSameKeyInDifferentObjectsIsNoDuplicate) {
  const auto json = parse_json(R"({"a":{"a":[{"a":1},{"a":2}]},"b":{}})", "x.json");
  EXPECT_EQ(json["a"]["a"][1]["a"], 2);
}

TEST(JsonFile, EqualsWhatTheLibraryParses) {
  const std::string text =
      R"([null,true,-1,18446744073709551615,1.5e3,"\u00e9\n",[],{},[[1],{"k":[2,{"l":3}]}]])";
  EXPECT_EQ(parse_json(text, "x.json"), nlohmann::json::parse(text));
}

TEST(JsonFile, TheOrderOfKeysIsKeptWhereItIsWanted) {
  const std::string text = R"({"z":1,"a":{"y":2,"b":3}})";
  EXPECT_EQ(parse_json<nlohmann::ordered_json>(text, "x.json").dump(), text);
}

TEST(JsonFile, ADocumentOfOneValueIsAllowedAndNoneIsNot) {
  EXPECT_EQ(parse_json(" 5 ", "x.json"), 5);
  for (const char* const text :
       {"", " ", "1 2", "[1", "[1,]", "{\"a\"}", "'a'", "nul", "\"\\ud800\"", "1e999"})
    expect_error([&] { parse_json(text, "x.json"); }, RH_MODEL_INVALID, "x.json: is not valid JSON");
}

TEST(JsonFile, NestingUpToTheLimitIsAllowed) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(json_depth_limit), "x.json"));
  EXPECT_THROW(parse_json(nested(json_depth_limit + 1), "x.json"), Error);
}

TEST(JsonFile, ReadingAFileStopsAtItsLimit) {
  const TemporaryFolder folder;
  const auto file = folder.write("a/b.txt", "12345");
  EXPECT_EQ(read_file(file, shown_path(file), 5), "12345");
  expect_error([&] { read_file(file, shown_path(file), 4); }, RH_MODEL_INVALID,
               "a/b.txt: is 5 bytes, expected at most 4");
  EXPECT_EQ(read_file(folder.write("empty", ""), "empty", 4), "");
}

}  // namespace
}  // namespace engines
