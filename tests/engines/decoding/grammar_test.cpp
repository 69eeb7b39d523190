// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "engines/decoding/grammar/automaton.h"
#include "engines/decoding/grammar/gbnf.h"
#include "engines/decoding/grammar/regex_grammar.h"
#include "engines/decoding/grammar/response_format.h"
#include "engines/decoding/grammar/schema_grammar.h"
#include "engines/decoding/token_random.h"
#include "engines/tensor/error.h"
#include "engines/tokenizer/unicode.h"

namespace engines::test {
namespace {

using decoding::Automaton;
using decoding::Grammar;
using Json = nlohmann::ordered_json;

bool fits(const Grammar& grammar, const std::string& text) {
  Automaton automaton(grammar);
  Automaton::State state = automaton.start();
  for (const char byte : text) {
    state = automaton.step(state, static_cast<unsigned char>(byte));
    if (state == Automaton::kDead) return false;
  }
  return automaton.accepts(state);
}

Grammar pattern(const std::string& text, bool anywhere = false) {
  return {{decoding::regex(text, "pattern", decoding::character, anywhere)}};
}

Grammar schema(const char* text) {
  return decoding::schema_grammar(Json::parse(text));
}

std::string refusal(const std::string& format) {
  try {
    Automaton(decoding::response_grammar(format));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
    return error.what();
  }
}

TEST(Regex, FitsWholeTexts) {
  EXPECT_TRUE(fits(pattern("[a-c]+(x|yz)?\\d{2,3}"), "abcyz12"));
  EXPECT_FALSE(fits(pattern("[a-c]+(x|yz)?\\d{2,3}"), "abcyz1"));
  EXPECT_FALSE(fits(pattern("[a-c]+(x|yz)?\\d{2,3}"), "abcd12"));
  EXPECT_TRUE(fits(pattern("[^a\\n]*"), "über 春 \xF0\x9F\x98\x80"));
  EXPECT_FALSE(fits(pattern("[^a\\n]*"), "\xC3"));
  EXPECT_TRUE(fits(pattern("\\x41\\u00e9[\\-\\]x]"), "Aé]"));
  EXPECT_TRUE(fits(pattern("^(?:a|b)*?$"), "abba"));
  EXPECT_TRUE(fits(pattern("b", true), "abc"));
  EXPECT_FALSE(fits(pattern("^b", true), "abc"));
  EXPECT_TRUE(fits(pattern("^a|c$", true), "abc"));
}

TEST(Regex, SaysWhatIsNotRegular) {
  for (const char* text : {"(", "a)", "[a", "(?=a)", "(?<!a)b", "\\1", "\\bword", "*a", "a{3,1}", "a{99999}",
                           "a**+", "(a$)b", "a^b", "[z-a]", "\\u00"})
    EXPECT_THROW(pattern(text), Error) << text;
}

TEST(Gbnf, ReadsRules) {
  const Grammar grammar = decoding::read_gbnf(
      "# sums\n"
      "root ::= term (\"+\" term)*   # with a comment\n"
      "term ::= [0-9]+ | \"(\" root \")\"\n"
      "       | name\n"
      "name ::= [^0-9()+ \\n] [a-z]{0,2}\n");
  EXPECT_TRUE(fits(grammar, "1+(2+ab)+é"));
  EXPECT_FALSE(fits(grammar, "1+"));
  EXPECT_FALSE(fits(grammar, "abcd"));
  for (const char* text :
       {"", "a ::= \"x\"", "root ::= missing", "root ::= \"x", "root ::= (\"a\"", "root = \"a\"",
        "root ::= root \"a\"", "root ::= \"a\" root", "root ::= \"\\uD800\""})
    EXPECT_THROW(Automaton(decoding::read_gbnf(text)), Error) << text;
}

TEST(Schema, HoldsObjects) {
  const Grammar grammar =
      schema(R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": ["x", 1, null]},
    "c": {"type": ["string", "null"]}}, "required": ["b"]})");
  EXPECT_TRUE(fits(grammar, R"({"a": 12, "b": "x", "c": "\u0001 é\n"})"));
  EXPECT_TRUE(fits(grammar, R"({"b":1})"));
  EXPECT_TRUE(fits(grammar, "{\n  \"b\": null,\n  \"c\": null\n}"));
  EXPECT_FALSE(fits(grammar, R"({"a": 12})"));
  EXPECT_FALSE(fits(grammar, R"({"b": 2})"));
  EXPECT_FALSE(fits(grammar, R"({"b": 1, "d": 1})"));
  EXPECT_FALSE(fits(grammar, R"({"b": 1,})"));
  const Grammar others =
      schema(R"({"properties": {"ab": true}, "additionalProperties": {"type": "boolean"}})");
  EXPECT_TRUE(fits(others, R"({"ab": [1, {"x": {}}], "abc": true, "a": false, "": true})"));
  EXPECT_FALSE(fits(others, R"({"a": true, "ab": true})"));
  EXPECT_FALSE(fits(others, R"({"a": 1})"));
}

TEST(Schema, HoldsListsStringsAndNumbers) {
  EXPECT_TRUE(fits(schema(R"({"items": {"type": "integer"}, "minItems": 1, "maxItems": 3})"), "[1, 2,3]"));
  EXPECT_FALSE(fits(schema(R"({"items": {"type": "integer"}, "minItems": 1, "maxItems": 3})"), "[]"));
  EXPECT_FALSE(fits(schema(R"({"items": {"type": "integer"}, "maxItems": 2})"), "[1,2,3]"));
  EXPECT_TRUE(fits(schema(R"({"prefixItems": [{"type": "null"}, {"type": "integer"}], "items": false})"),
                   "[null, 1]"));
  EXPECT_FALSE(fits(schema(R"({"prefixItems": [{"type": "null"}], "items": false})"), "[null, 1]"));
  EXPECT_TRUE(fits(schema(R"({"type": "string", "minLength": 2, "maxLength": 3})"), R"("\"é")"));
  EXPECT_FALSE(fits(schema(R"({"type": "string", "minLength": 2})"), R"("a")"));
  EXPECT_TRUE(fits(schema(R"({"type": "string", "pattern": "^a\"[\\n]$"})"), R"("a\"\n")"));
  for (int n = -130; n <= 130; ++n) {
    const std::string text = std::to_string(n);
    EXPECT_EQ(fits(schema(R"({"type": "integer", "minimum": -17, "exclusiveMaximum": 103})"), text),
              n >= -17 && n < 103)
        << n;
    EXPECT_EQ(fits(schema(R"({"type": "number", "minimum": 7.5, "maximum": 99})"), text), n >= 8 && n <= 99)
        << n;
  }
  EXPECT_TRUE(fits(schema(R"({"type": "number", "minimum": -2, "maximum": 1})"), "-1.5"));
  EXPECT_TRUE(fits(schema(R"({"type": "number", "minimum": -2, "maximum": 1})"), "0.25"));
  EXPECT_FALSE(fits(schema(R"({"type": "number", "minimum": -2, "maximum": 1})"), "-2.5"));
  EXPECT_TRUE(fits(schema(R"({"type": "number", "minimum": 0.2, "maximum": 0.8})"), "0.5"));
  EXPECT_FALSE(fits(schema(R"({"type": "number", "minimum": 0.2, "maximum": 0.8})"), "0.9"));
}

TEST(Schema, FollowsReferencesAndCombinations) {
  const Grammar tree = schema(R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {
    "v": {"type": "integer"}, "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}, "required": ["v", "next"]}}})");
  EXPECT_TRUE(fits(tree, R"({"v": 1, "next": {"v": 2, "next": null}})"));
  EXPECT_FALSE(fits(tree, R"({"v": 1, "next": {"v": 2}})"));
  const Grammar both = schema(R"({"type": "object", "properties": {"a": {"type": "integer"}}, "anyOf": [
    {"properties": {"b": {"const": 1}}, "required": ["b"]}, {"required": ["a"]}]})");
  EXPECT_TRUE(fits(both, R"({"b": 1})"));
  EXPECT_TRUE(fits(both, R"({"a": 1})"));
  EXPECT_FALSE(fits(both, R"({})"));
  EXPECT_TRUE(fits(schema(R"({"allOf": [{"type": "number"}, {"type": "integer", "minimum": 3}]})"), "4"));
}

TEST(ResponseFormat, NamesWhatIsNotSupported) {
  using testing::HasSubstr;
  const auto of = [](const std::string& text) {
    return refusal(R"({"type": "json_schema", "schema": )" + text + "}");
  };
  EXPECT_EQ(of("{}"), "");
  EXPECT_THAT(of(R"({"properties": {"a": {"not": {}}}})"), HasSubstr("#/properties/a/not"));
  EXPECT_THAT(of(R"({"items": {"type": "integer", "multipleOf": 3}})"), HasSubstr("#/items/multipleOf"));
  EXPECT_THAT(of(R"({"$ref": "#/$defs/x"})"), HasSubstr("not there"));
  EXPECT_THAT(of(R"({"$ref": "#"})"), HasSubstr("no text fits"));
  EXPECT_THAT(of(R"({"type": "text"})"), HasSubstr("#/type"));
  EXPECT_THAT(of("false"), HasSubstr("fits"));
  EXPECT_THAT(of(R"({"enum": []})"), HasSubstr("fits"));
  EXPECT_THAT(of("{\"pattern\": \"(?=a)\"}"), HasSubstr("#/pattern"));
  EXPECT_THAT(of(R"({"minItems": 2, "maxItems": 1})"), HasSubstr("maxItems"));
  EXPECT_THAT(of(R"({"minItems": -1})"), HasSubstr("minItems"));
  for (const char* format : {"", "{}", "[]", R"({"type": 1})", R"({"type": "xml"})",
                             R"({"type": "json_schema"})", R"({"type": "regex"})"})
    EXPECT_NE(refusal(format), "") << format;
  EXPECT_EQ(refusal(R"({"type": "json_object"})"), "");
}

// Walks at random until the text may end: what comes out must be JSON.
std::string walk(const Grammar& grammar, std::uint64_t seed) {
  Automaton automaton(grammar);
  Automaton::State state = automaton.start();
  std::string text;
  for (std::uint64_t i = 0; text.size() < 3000; ++i) {
    std::vector<std::pair<unsigned char, Automaton::State>> ways;
    for (int byte = 0; byte < 256; ++byte)
      if (const auto next = automaton.step(state, static_cast<unsigned char>(byte)); next != Automaton::kDead)
        ways.emplace_back(byte, next);
    if (automaton.accepts(state) && (ways.empty() || decoding::random_bits(seed, 2 * i) % 4 == 0))
      return text;
    if (ways.empty()) return "dead end: " + text;
    // Brackets and quotes that close come often enough for the text to end.
    std::size_t pick = decoding::random_bits(seed, 2 * i + 1) % ways.size();
    for (std::size_t w = 0; w < ways.size(); ++w)
      if (std::string_view("}]\"").find(static_cast<char>(ways[w].first)) != std::string_view::npos &&
          i % 3 == 0)
        pick = w;
    text += static_cast<char>(ways[pick].first);
    state = ways[pick].second;
  }
  return "";
}

TEST(Schema, EveryFinishedTextIsJson) {
  const char* schemas[] = {
      "{}",
      R"({"type": "object"})",
      R"({"type": "array", "items": {"type": ["number", "string", "boolean"]}, "minItems": 2})",
      R"({"properties": {"a b": {"type": "number", "minimum": -1.5}, "é\"": {"type": "string"}}, "additionalProperties": true})",
      R"({"type": "string", "pattern": "^\\W\\S[^a-z]+$"})",
      R"({"type": "string", "format": "date-time"})"};
  int finished = 0;
  for (const char* text : schemas) {
    const Grammar grammar = schema(text);
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const std::string made = walk(grammar, seed);
      if (made.empty()) continue;
      ++finished;
      EXPECT_EQ(unicode::first_invalid(made), std::string::npos);
      EXPECT_TRUE(Json::accept(made)) << text << ": " << made;
    }
  }
  EXPECT_GT(finished, 100);
}

}  // namespace
}  // namespace engines::test
