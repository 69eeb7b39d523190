// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/model_catalogue.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood =
    "schema: 1\nname: m\narchitecture: ZImagePipeline\npath: m\n"
    "defaults: {steps: 8, guidance: 0.5}\nlimits:\n  size: {min: 64, max: 512, multiple: 32}\n";

// Reads a spec of that text and gives "CODE: message", or "ok".
std::string outcome(const std::string& text) {
  const TemporaryDirectory directory;
  try {
    read_model_spec(directory.write("m.yaml", text));
    return "ok";
  } catch (const Error& error) {
    return std::to_string(error.code()) + ": " + error.what();
  }
}

TEST(ModelSpec, SaysWhatIsWrongAndInWhichLine) {
  const std::string good = kGood;
  EXPECT_THAT(outcome(""), HasSubstr("expected a mapping"));
  EXPECT_THAT(outcome("- a\n"), HasSubstr("expected a mapping"));
  EXPECT_THAT(outcome("schema: 2\nname: m\n"), HasSubstr("m.yaml:1: schema: expected 1"));
  EXPECT_THAT(outcome("schema: 1\narchitecture: A\npath: p\n"), HasSubstr("name: is missing"));
  EXPECT_THAT(outcome("schema: 1\nname: ../x\narchitecture: A\npath: p\n"),
              HasSubstr("m.yaml:2: name: '../x'"));
  EXPECT_THAT(outcome("schema: 1\nname: m\narchitecture: A\npath: ../p\n"),
              HasSubstr("path: '../p' contains '..'"));
  EXPECT_THAT(outcome(good + "colour: red\n"), HasSubstr("m.yaml:8: colour: is not a known field"));
  EXPECT_THAT(outcome("schema: 1\nname: m\narchitecture: A\npath: p\ndefaults: {steps: 51}\n"),
              HasSubstr("defaults.steps: '51' is out of range, expected a number from 1 to 50"));
  EXPECT_THAT(outcome("schema: 1\nname: m\narchitecture: A\npath: p\ndefaults: {guidance: .nan}\n"),
              HasSubstr("defaults.guidance"));
  EXPECT_THAT(outcome("schema: 1\nname: m\narchitecture: A\npath: p\nlimits: {size: {multiple: 24}}\n"),
              HasSubstr("limits.size.multiple: expected a multiple of 16"));
  EXPECT_THAT(outcome("schema: 1\nname: [\n"), HasSubstr("m.yaml:"));
  EXPECT_THAT(outcome(std::string(300, '[')), HasSubstr("256 opening brackets"));
  EXPECT_THAT(outcome(good + "title: \"a\xff\"\n"), HasSubstr("is not UTF-8"));
  EXPECT_THAT(outcome(std::string(2 << 20, '#')), HasSubstr("expected at most"));
}

TEST(ModelSpec, ReadsEveryField) {
  const TemporaryDirectory directory;
  const auto spec = read_model_spec(directory.write("m.yaml", kGood));
  EXPECT_EQ(spec.name, "m");
  EXPECT_EQ(spec.defaults.steps, 8u);
  EXPECT_EQ(spec.defaults.guidance, 0.5);
  EXPECT_FALSE(spec.defaults.width.has_value());
  EXPECT_EQ(spec.size.minimum, 64u);
  EXPECT_EQ(spec.size.maximum, 512u);
  EXPECT_EQ(spec.size.multiple_of, 32u);
}

TEST(ModelSpec, AllThatComeAlongCanBeRead) {
  const ModelCatalogue catalogue({{ROUNDHOUSE_MODELS}, {}});
  EXPECT_TRUE(catalogue.problems().empty());
  EXPECT_EQ(catalogue.entries().size(), 9u);
  EXPECT_TRUE(catalogue.resolve("pocket-base").spec.has_value());
  EXPECT_EQ(catalogue.resolve("z-image").size.multiple_of, 64u);
}

}  // namespace
}  // namespace roundhouse::host
