// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_challenge.h"

#include <gtest/gtest.h>

namespace roundhouse::host {
namespace {

TEST(AuthChallenges, AreReadAsRegistriesWriteThem) {
  const auto challenges = parse_challenges(
      {R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")"});
  ASSERT_EQ(challenges.size(), 1u);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].get("realm"), "https://auth.example/token");
  EXPECT_EQ(challenges[0].get("scope"), "repository:a/b:pull,push");
  EXPECT_EQ(challenges[0].get("error"), "");
}

TEST(AuthChallenges, ComeInOneHeaderOrInSeveral) {
  const auto challenges = parse_challenges(
      {R"(Negotiate YII=, BASIC Realm = "a \"b\" c" , charset=UTF-8,Digest)", "Bearer realm=x"});
  ASSERT_EQ(challenges.size(), 4u);
  EXPECT_EQ(challenges[0].scheme, "negotiate");
  EXPECT_EQ(challenges[1].scheme, "basic");
  EXPECT_EQ(challenges[1].get("realm"), "a \"b\" c");
  EXPECT_EQ(challenges[1].get("charset"), "UTF-8");
  EXPECT_EQ(challenges[2].scheme, "digest");
  EXPECT_EQ(challenges[3].get("realm"), "x");
}

TEST(AuthChallenges, EndWhereTheyCannotBeRead) {
  EXPECT_TRUE(parse_challenges({""}).empty());
  EXPECT_TRUE(parse_challenges({"=,=", "\"Bearer\"", "realm=\"x\"", "Bearer=x"}).empty());
  const auto open = parse_challenges({R"(Bearer realm="x, service="y")", R"(Basic realm="open)"});
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[0].get("realm"), "x, service=");
  EXPECT_EQ(open[1].get("realm"), "");
}

}  // namespace
}  // namespace roundhouse::host
