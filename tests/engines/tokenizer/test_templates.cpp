// SPDX-License-Identifier: Apache-2.0
// Every construct of the template language against what Jinja2 renders, and templates that run away.
#include <fstream>

#include "../weights/temporary_folder.h"
#include "engines/tokenizer/chat_template.h"

namespace engines {
namespace {

using Json = nlohmann::ordered_json;

Json read_cases() {
  std::ifstream stream(ROUNDHOUSE_TEMPLATES);
  return Json::parse(stream);
}

std::string render(const std::string& source, const Json& variables = Json::object()) {
  return ChatTemplate(source).render(variables);
}

void expect_invalid(const std::string& source, const std::string& message) {
  expect_error([&] { render(source); }, RH_MODEL_INVALID, message);
}

TEST(Templates, WhatJinjaRefusesIsRefused) {
  const Json all = read_cases();
  ASSERT_GT(all.at("refused").size(), 20u);
  for (const auto& source : all.at("refused")) {
    SCOPED_TRACE(source.dump());
    expect_error([&] { render(source.get<std::string>(), all.at("variables")); }, RH_MODEL_INVALID,
                 "chat template: line ");
  }
}

TEST(Templates, RenderAsJinjaRendersThem) {
  const Json all = read_cases();
  ASSERT_GT(all.at("cases").size(), 80u);
  for (const auto& one : all.at("cases")) {
    SCOPED_TRACE(one.dump());
    EXPECT_EQ(render(one.at("template").get<std::string>(), all.at("variables")),
              one.at("text").get<std::string>());
  }
}

TEST(Templates, ErrorsSayTheLineAndWhatWasFound) {
  expect_invalid("a\n\n{{ 1 + }}", "line 3: found '}}', expected an expression");
  expect_invalid("{% if x %}\n{% endfor %}", "line 2: the statement 'endfor' is not supported here");
  expect_invalid("\n{% include 'x' %}", "line 2: the statement 'include' is not supported here");
  expect_invalid("{% if x %}", "found the end of the template, expected 'endif'");
  expect_invalid("{{ x | nonsense }}", "line 1: the filter 'nonsense' is not supported");
  expect_invalid("{{ x is nonsense }}", "the test 'nonsense' is not supported");
  expect_invalid("{{ 'a'.zfill(3) }}", "the method 'zfill' of str is not supported");
  expect_invalid("{{ x.y.z }}", "'x' is undefined");
  expect_invalid("\n{{ raise_exception('no\nsystem role') }}",
                 "line 2: the template refuses: 'no\\nsystem role'");
  expect_invalid("{{ 99999999999999999999 }}", "is out of range");
  expect_invalid("{{ '\\ud800' }}", "an escape that is not a character");
  expect_invalid("{{ '\\x4' }}", "an escape that is not a character");
  expect_invalid("{{ 9223372036854775807 + 1 }}", "does not fit into 64 bits");
  expect_invalid("{{ (-9223372036854775807 - 1) // -1 }}", "does not fit into 64 bits");
  expect_invalid("{{ 'a' | upper(1) }}", "upper: takes fewer than 1 arguments");
  expect_invalid("{{ 'a' | default(nope=1) }}", "default: takes no argument named 'nope'");
  expect_invalid(std::string("{{ '\xFF' }}"), "is not valid UTF-8 at byte 4");
  expect_invalid("{% for x in [1] %}{% macro m() %}{% endmacro %}{% endfor %}", "a macro inside of a loop");
  expect_invalid("{% macro m(t) %}{{ caller() }}{% endmacro %}{{ m(1) }}", "'caller' is undefined");
  expect_invalid("{% for x in [[1,2]] recursive %}{% endfor %}", "'for ... recursive' is not supported");
  expect_invalid("{% break %}", "outside of a loop");
}

TEST(Templates, TheSmallestIntegerDoesNotTrap) {
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) % -1 }}"), "0");
  EXPECT_EQ(render("{{ (-9223372036854775807 - 1) is divisibleby(-1) }}"), "True");
}

TEST(Templates, NestingIsLimitedWhereverItComesFrom) {
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i)
      text += part;
    return text;
  };
  expect_invalid("{{ " + repeated("(", 100000) + repeated(")", 100000) + " }}", "nested deeper");
  expect_invalid("{{ " + repeated("[", 100000) + repeated("]", 100000) + " }}", "nested deeper");
  expect_invalid("{{ " + repeated("not ", 100000) + "x }}", "nested deeper");
  expect_invalid("{{ " + repeated("-", 100000) + "1 }}", "nested deeper");
  expect_invalid("{{ x" + repeated(".x", 100000) + " }}", "nested deeper");
  expect_invalid("{{ x" + repeated("|string", 100000) + " }}", "nested deeper");
  expect_invalid("{{ 1" + repeated("+1", 100000) + " }}", "nested deeper");
  expect_invalid("{{ 1" + repeated(" if 1 else 1", 10000) + " }}", "nested deeper");
  expect_invalid(repeated("{% if x %}", 10000), "nested deeper");
  expect_invalid("{% for " + repeated("(", 100000) + repeated(")", 100000) + " %}", "nested deeper");
  expect_invalid(
      "{% set ns = namespace(l=[]) %}{% for i in range(5000) %}{% set ns.l = [ns.l] %}{% endfor %}",
      "nests lists deeper than 100");
  expect_invalid(
      "{% set ns = namespace(l={}) %}{% for i in range(5000) %}{% set ns.l = {'a': ns.l} %}{% endfor %}",
      "nests dicts deeper than 100");
  expect_invalid("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "calls itself too deeply");
  const std::string ifs = repeated("{% if true %}", 40);
  expect_invalid(
      "{% macro m() %}" + ifs + "{{ m() }}" + repeated("{% endif %}", 40) + "{% endmacro %}{{ m() }}",
      "calls itself too deeply");
}

TEST(Templates, LongChainsThatAreNoNestingAreFine) {
  std::string sum = "{{ 'a'";
  for (int i = 0; i < 5000; ++i)
    sum += " ~ 'a'";
  EXPECT_EQ(render(sum + " }}").size(), 5001u);
  std::string choice = "{% if x == 0 %}";
  for (int i = 0; i < 5000; ++i)
    choice += "{% elif x == " + std::to_string(i) + " %}" + std::to_string(i);
  EXPECT_EQ(render(choice + "{% endif %}", {{"x", 4999}}), "4999");
}

TEST(Templates, ARunawayIsStoppedByStepsOrSize) {
  const std::string loop = "{% for i in range(100000) %}";
  expect_invalid(loop + loop + "{% endfor %}{% endfor %}", "takes more than 1000000 steps");
  expect_invalid("{{ range(100001) }}", "has more than 100000 numbers");
  expect_invalid("{{ 'x' * 99999999999 }}", "too long");
  expect_invalid("{{ [1] * 99999999999 }}", "too long");
  const std::string doubling = "{% set ns = namespace(s='xxxxxxxx') %}{% for i in range(60) %}";
  expect_invalid(doubling + "{% set ns.s = ns.s + ns.s %}{% endfor %}", "a text of more than 16777216 bytes");
  expect_invalid(doubling + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}", "a text of more than 16777216 bytes");
  expect_invalid(doubling + "{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}", "chat template");
  expect_invalid(doubling + "{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}", "chat template");
  expect_invalid(doubling + "{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == [ns.s] }}", "steps");
  expect_invalid(doubling + "{% set ns.s = ns.s | replace('x', 'xxxxxxxxxxxxxxxx') %}{% endfor %}",
                 "chat template");
  const std::string big = "{% set b = 'a' * 16000000 %}";
  expect_invalid(big + "{{ b }}{{ b }}", "writes more than 16777216 bytes");
  expect_invalid(big + "{{ b.find('a' * 8000000 ~ 'b') }}", "steps");
  expect_invalid(big + "{{ ('a' * 8000000 ~ 'b') in b }}", "steps");
  expect_invalid(big + "{{ b.strip('b' * 1000000 ~ 'a') }}", "steps");
  expect_invalid(big + "{% for i in range(1000) %}{% set c = b ~ 'x' %}{% endfor %}", "steps");
  expect_invalid("{{ '' | indent('x' * 16000000, true) | indent('x' * 16000000, true) }}",
                 "a text of more than");
}

TEST(Templates, NamespacesThatReferToEachOtherAreFreed) {
  EXPECT_EQ(
      render("{% set a = namespace() %}{% set a.me = a %}{% set b = namespace(a=a) %}{% set a.b = b %}x"),
      "x");
}

TEST(Templates, TheDateIsThatOfToday) {
  const std::string year = render("{{ strftime_now('%Y') }}");
  EXPECT_EQ(year.size(), 4u);
  EXPECT_GE(year, "2024");
}

TEST(Templates, BlocksForTrainingAreRenderedAsTheyAre) {
  EXPECT_EQ(render("{% generation %}\nx{% endgeneration %}"), "x");
}

TEST(TemplateFiles, TheTemplateComesFromConfigListOrFile) {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& config) {
    folder.write("t/tokenizer_config.json", config);
    return ChatTemplate::load(folder.path() / "t");
  };
  EXPECT_EQ(load(R"({"chat_template":"a"})").render(Json::object()), "a");
  EXPECT_EQ(
      load(R"({"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]})")
          .render(Json::object()),
      "d");
  expect_error([&] { load(R"({"chat_template":[{"name":"x","template":"t"}]})"); }, RH_MODEL_INVALID,
               "t/tokenizer_config.json: chat_template: has no template named 'default'");
  expect_error([&] { load("{}"); }, RH_MODEL_INVALID, "t/tokenizer_config.json: chat_template: is missing");
  expect_error([&] { load(R"({"chat_template":5})"); }, RH_MODEL_INVALID, "chat_template: 5 is not a string");
  expect_error([&] { load(R"({"chat_template":"{{"})"); }, RH_MODEL_INVALID,
               "t/tokenizer_config.json: chat template: line 1");
  folder.write("t/chat_template.jinja", "own {{ bos_token }}{{ eos_token }}");
  EXPECT_EQ(load(R"({"chat_template":"a","bos_token":{"content":"<s>"},"eos_token":"</s>"})")
                .render(Json::object()),
            "own <s></s>");
}

TEST(TemplateFiles, NoConfigurationIsMissingWeights) {
  const TemporaryFolder folder;
  expect_error([&] { ChatTemplate::load(folder.path()); }, RH_WEIGHTS_MISSING, "tokenizer_config.json");
}

TEST(TemplateFiles, APromptThatIsNoUtf8IsAnInvalidArgument) {
  expect_error([] { static_cast<void>(ChatTemplate("x").render_prompt("\xC3", true)); }, RH_INVALID_ARGUMENT,
               "prompt: is not valid UTF-8 at byte 0");
}

}  // namespace
}  // namespace engines
