// SPDX-License-Identifier: Apache-2.0
// Fields of a configuration: of the wrong type, out of range, absent, and as they should be.
#include "engines/weights/config.h"

#include <limits>

#include "temporary_folder.h"

namespace engines {
namespace {

Config config(const char* text) {
  return {nlohmann::json::parse(text), "unet/config.json"};
}

constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();

template <class Call>
void expect_invalid(Call call, const std::string& text) {
  expect_error(call, RH_MODEL_INVALID, "unet/config.json: " + text);
}

TEST(Config, AFileThatIsNoObjectIsRefused) {
  const TemporaryFolder folder;
  const auto read = [&](std::string_view text) {
    return Config::read(folder.write("config.json", text), "unet/config.json");
  };
  expect_invalid([&] { read(""); }, "is not valid JSON");
  expect_invalid([&] { read("[1]"); }, "is [1], expected an object");
  expect_invalid([&] { read("{\"a\":1,\"a\":2}"); }, "the key 'a' comes twice");
  expect_invalid([&] { read("{\"a\":NaN}"); }, "is not valid JSON");
  expect_invalid([&] { read(std::string(100000, '[')); }, "is nested deeper than 64 levels");
  expect_invalid([&] { read(std::string((16 << 20) + 1, ' ')); },
                 "is 16777217 bytes, expected at most 16777216");
  expect_error([&] { Config::read(folder.path() / "no.json", "unet/no.json"); }, RH_WEIGHTS_MISSING,
               "missing unet/no.json");
  EXPECT_EQ(read("{\"a\": 3}").integer("a", 0, 9), 3);
}

TEST(Config, IntegersAreCheckedForTypeAndRange) {
  const auto c = config(R"({"zero":0,"text":"8","real":8.0,"huge":18446744073709551615,"yes":true,"n":8})");
  expect_invalid([&] { c.integer("absent", 1, 9); }, "absent: is missing");
  expect_invalid([&] { c.integer("zero", 1, no_limit); }, "zero: 0 is out of range, expected 1 or more");
  expect_invalid([&] { c.integer("n", 1, 7); }, "n: 8 is out of range, expected 1 to 7");
  expect_invalid([&] { c.integer("text", 1, 9); }, "text: '8' is not an integer");
  expect_invalid([&] { c.integer("real", 1, 9); }, "real: 8.0 is not an integer");
  expect_invalid([&] { c.integer("yes", 0, 9); }, "yes: true is not an integer");
  expect_invalid([&] { c.integer("huge", 0, no_limit); }, "huge: 18446744073709551615 is out of range");
  EXPECT_EQ(c.integer("n", 8, 8), 8);
  EXPECT_EQ(c.integer_or("absent", 5, 1, 9), 5);
}

TEST(Config, NumbersMayBeWrittenAsIntegers) {
  const auto c = config(R"({"n":1000000,"eps":1e-6,"text":"1","big":1e300})");
  EXPECT_EQ(c.number("n", 0, 1e9), 1e6);
  EXPECT_EQ(c.number("eps", 0, 1), 1e-6);
  EXPECT_EQ(c.number_or("absent", 0.5, 0, 1), 0.5);
  expect_invalid([&] { c.number("text", 0, 1); }, "text: '1' is not a number");
  expect_invalid([&] { c.number("big", 0, 1e9); }, "big: 1e+300 is out of range");
  expect_invalid([&] { c.number("absent", 0, 1); }, "absent: is missing");
}

TEST(Config, NullCountsAsAbsent) {
  const auto c = config(R"({"a":null})");
  EXPECT_FALSE(c.has("a"));
  EXPECT_EQ(c.integer_or("a", 7, 0, 9), 7);
  EXPECT_EQ(c.text_or("a", "x"), "x");
  EXPECT_FALSE(c.object("a").has_value());
  c.only("a", "supported");
}

TEST(Config, ListsAreCheckedForCountAndElements) {
  const auto c = config(R"({"axes":[32,48,48],"bad":[1,"x"],"names":["a","b"],"mixed":["a",1],"n":3})");
  EXPECT_EQ(c.integers("axes", 3, 3, 1, 64), (std::vector<std::int64_t>{32, 48, 48}));
  EXPECT_EQ(c.texts_or("names", {}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(c.texts_or("absent", {"z"}), (std::vector<std::string>{"z"}));
  expect_invalid([&] { c.integers("axes", 2, 2, 1, 64); }, "axes: has 3 elements, expected 2");
  expect_invalid([&] { c.integers("axes", 3, 3, 1, 40); },
                 "axes: element 1: 48 is not an integer of 1 to 40");
  expect_invalid([&] { c.integers("bad", 1, 9, 0, 9); }, "bad: element 1: 'x'");
  expect_invalid([&] { c.integers("n", 1, 9, 0, 9); }, "n: 3 is not an array");
  expect_invalid([&] { c.texts_or("mixed", {}); }, "mixed: element 1: 1 is not a string");
}

TEST(Config, OnlyAcceptsTheOneSupportedValue) {
  const auto c = config(R"({"act":"gelu","bias":true,"n":2})");
  c.only("act", "gelu");
  c.only("bias", true);
  c.only("n", 2);
  c.only("absent", "anything");
  expect_invalid([&] { c.only("act", "silu"); }, "act: 'gelu' is not supported, expected 'silu'");
  expect_invalid([&] { c.only("bias", false); }, "bias: true is not supported, expected false");
  expect_invalid([&] { c.only("n", 1); }, "n: 2 is not supported, expected 1");
  expect_invalid([&] { c.only("n", "2"); }, "n: 2 is not supported, expected '2'");
}

TEST(Config, AnObjectInsideIsAConfigOfItsOwn) {
  const auto c = config(R"({"rope":{"theta":0},"text":"x"})");
  expect_invalid([&] { c.object("rope")->number("theta", 1, 9); }, "rope: theta: 0 is out of range");
  expect_invalid([&] { c.object("text"); }, "text: 'x' is not an object");
}

TEST(Config, WhatAMessageQuotesIsShortAndValidUtf8) {
  nlohmann::json object;
  object["a"] = std::string(79, 'x') + "\u00e9 and much more";
  try {
    Config(object, "c.json").integer("a", 0, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::strlen(error.what()), 140u);
    EXPECT_NO_THROW(static_cast<void>(nlohmann::json(error.what()).dump()));
  }
}

}  // namespace
}  // namespace engines
