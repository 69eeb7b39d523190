// SPDX-License-Identifier: Apache-2.0
// Bodies of requests: what is taken, and what a refusal says.
#include "host/server/json_fields.h"

#include <gmock/gmock.h>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using testing::HasSubstr;

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
    return error.what();
  }
  return "was taken";
}

TEST(JsonFields, give_the_types_that_are_asked_for) {
  const auto fields = JsonFields::parse(
      R"({"t": "a", "i": 7, "whole": 7.0, "n": 1.5, "b": true, "nothing": null, "o": {"x": 1}, "l": [1, 2]})");
  EXPECT_EQ(fields.text("t"), "a");
  EXPECT_EQ(fields.integer("i"), 7);
  EXPECT_EQ(fields.integer("whole"), 7);
  EXPECT_EQ(fields.number("n"), 1.5);
  EXPECT_EQ(fields.number("i"), 7.0);
  EXPECT_TRUE(fields.boolean("b", false));
  EXPECT_TRUE(fields.boolean("absent", true));
  EXPECT_EQ(fields.text("nothing"), std::nullopt);
  EXPECT_FALSE(fields.has("nothing"));
  EXPECT_EQ(fields.object("o")->integer("x"), 1);
  EXPECT_EQ(fields.list("l"), nlohmann::json::parse("[1, 2]"));
  EXPECT_EQ(fields.list("t"), nlohmann::json::parse(R"(["a"])"));
  EXPECT_EQ(fields.word("t", {"a", "b"}), "a");
}

TEST(JsonFields, refuse_other_types_by_name_and_value) {
  const auto fields =
      JsonFields::parse(R"({"t": 5, "i": 1.5, "o": {"x": "y"}, "big": 18446744073709551615})");
  EXPECT_EQ(refusal([&] { fields.text("t"); }), "t: 5 is not a string");
  EXPECT_EQ(refusal([&] { fields.integer("i"); }), "i: 1.5 is not a whole number");
  EXPECT_EQ(refusal([&] { fields.integer("big"); }), "big: 18446744073709551615 is too large");
  EXPECT_EQ(refusal([&] { fields.boolean("t", false); }), "t: 5 is not true or false");
  EXPECT_EQ(refusal([&] { fields.object("o")->number("x"); }), "o.x: \"y\" is not a number");
  EXPECT_EQ(refusal([&] { fields.integer("t", 1, 4); }), "t: 5 is out of range, expected 1 to 4");
  EXPECT_EQ(refusal([&] { fields.number("t", 0, 0.5); }), "t: 5 is out of range, expected 0 to 0.5");
  EXPECT_EQ(refusal([&] {
              JsonFields::parse(R"({"w": "c"})").word("w", {"a", "b"});
            }),
            "w: \"c\" is not known, expected one of: a, b");
}

// Refusals are logged, and prompts are not.
TEST(JsonFields, show_nothing_of_what_people_write) {
  const auto fields = JsonFields::parse(R"({
    "prompt": ["my secret"], "negative_prompt": {"a": "my secret"}, "system": 5, "stop": "my secret",
    "size": ["my secret"], "options": {"prompt": "my secret", "n": {"x": "my secret"}},
    "messages": [{"role": "my secret"}]})");
  EXPECT_EQ(refusal([&] { fields.text("prompt"); }), "prompt: is a list, expected a string");
  EXPECT_EQ(refusal([&] { fields.text("negative_prompt"); }),
            "negative_prompt: is an object, expected a string");
  EXPECT_EQ(refusal([&] { fields.text("system"); }), "system: is a number, expected a string");
  EXPECT_EQ(refusal([&] { fields.integer("stop"); }), "stop: is a string, expected a whole number");
  EXPECT_EQ(refusal([&] { fields.text("size"); }), "size: is a list, expected a string");
  EXPECT_EQ(refusal([&] { fields.boolean("messages", false); }),
            "messages: is a list, expected true or false");
  EXPECT_EQ(refusal([&] { fields.object("options")->integer("n"); }),
            "options.n: is an object, expected a whole number");
  EXPECT_EQ(refusal([&] { fields.object("options")->number("prompt"); }),
            "options.prompt: is a string, expected a number");
  const JsonFields message(fields.value().at("messages").at(0), "messages[0]");
  EXPECT_EQ(refusal([&] {
              message.word("role", {"system", "user"});
            }),
            "messages[0].role: is not known, expected one of: system, user");
}

TEST(JsonFields, refuse_bodies_that_are_no_object) {
  EXPECT_THAT(refusal([] { JsonFields::parse(""); }), HasSubstr("not JSON"));
  EXPECT_EQ(JsonFields::parse("", true).value(), nlohmann::json::object());
  EXPECT_THAT(refusal([] { JsonFields::parse(R"({"a": )"); }), HasSubstr("not JSON at byte"));
  EXPECT_THAT(refusal([] { JsonFields::parse("[1]"); }), HasSubstr("expected an object"));
  EXPECT_THAT(refusal([] { JsonFields::parse(R"({"a": 1e999})"); }), HasSubstr("out of every range"));
  EXPECT_THAT(refusal([] { JsonFields::parse("{\"a\": \"\xC3\"}"); }), HasSubstr("not JSON"));
  const std::string deep(100'000, '[');
  EXPECT_THAT(refusal([&] { JsonFields::parse(R"({"a": )" + deep); }), HasSubstr("nested deeper"));
}

TEST(JsonFields, show_no_more_of_a_value_than_fits_a_message) {
  const std::string text(10'000, 'x');
  EXPECT_LT(refusal([&] { JsonFields::parse(R"({"a": ")" + text + "\"}").integer("a"); }).size(), 200u);
}

}  // namespace
}  // namespace roundhouse::host
