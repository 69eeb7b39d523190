// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_name.h"

#include <gtest/gtest.h>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

TEST(ModelName, RefusesWhatIsNoNameAnywhere) {
  for (const std::string text :
       {"",   ".",     "..",    "a..b",  "../a",        "/a",   "a/b", "a\\b",  "a b",
        "-a", "a-",    "a._b",  "a---b", "_a",          "a:",   ":a",  "a:b:c", "a@",
        "@1", "a@1@2", "a@1:b", "a\nb",  "caf\xc3\xa9", "a%2e", "~a",  "a:-b",  "a@sha256:00"}) {
    EXPECT_FALSE(ModelName::try_parse(text)) << text;
  }
  EXPECT_FALSE(ModelName::try_parse(std::string("a\0b", 3)));
  EXPECT_FALSE(ModelName::try_parse(std::string(129, 'a')));
  try {
    ModelName::parse("../secret\x1b[2J");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_UNSAFE_NAME);
    EXPECT_EQ(std::string(error.what()).find('\x1b'), std::string::npos);
  }
}

TEST(ModelName, ReadsNameVariantAndVersion) {
  const ModelName name = ModelName::parse("z-image-turbo:q8_0@1.0.2");
  EXPECT_EQ(name.name(), "z-image-turbo");
  EXPECT_EQ(name.variant(), "q8_0");
  EXPECT_EQ(name.version(), "1.0.2");
  EXPECT_EQ(name.text(), "z-image-turbo:q8_0@1.0.2");
  EXPECT_EQ(ModelName::parse("m@2").text(), "m@2");
  EXPECT_EQ(ModelName::parse("a--b").text(), "a--b");
}

TEST(ModelName, LongFormsOfOllamaAreTheSameName) {
  for (const char* text :
       {"m", "m:latest", "library/m", "library/m:latest", "registry.ollama.ai/library/m:latest"})
    EXPECT_EQ(ModelName::parse(text).text(), "m") << text;
  EXPECT_EQ(ModelName::parse("registry.ollama.ai/library/m:8b").text(), "m:8b");
  for (const char* text : {"library/a/m", "other/m", "registry.ollama.ai/team/m", "library/", ":latest"})
    EXPECT_EQ(ModelName::try_parse(text), std::nullopt) << text;
}

TEST(ModelName, TheVariantLatestStandsForNone) {
  EXPECT_EQ(ModelName::parse("m:latest"), ModelName::parse("m"));
  EXPECT_EQ(ModelName::parse("m:latest@2").text(), "m@2");
}

}  // namespace
}  // namespace roundhouse::host
