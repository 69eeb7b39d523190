// SPDX-License-Identifier: Apache-2.0
#include "host/store/pin_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

const std::string kHead = "schema: 1\nname: m\narchitecture: ZImagePipeline\n";
const std::string kA(40, 'a'), kB(40, 'b');

std::string pinned(const std::string& fields) {
  try {
    return pinned_spec_text(kHead + fields, "m.yaml", {{"org/a", kA}, {"org/b", kB}}).substr(kHead.size());
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(PinSpec, puts_commits_in_the_place_of_branches_and_leaves_the_rest) {
  EXPECT_EQ(pinned("# mine\nbase: {hf_repo: org/a, revision: main}  # moves\ncomponents:\n"
                   "  vae: {base: {hf_repo: \"org/b\", revision: 'main'}}\n"),
            "# mine\nbase: {hf_repo: org/a, revision: " + kA +
                "}  # moves\ncomponents:\n"
                "  vae: {base: {hf_repo: \"org/b\", revision: '" +
                kB + "'}}\n");
  EXPECT_EQ(pinned("base:\n  hf_repo: org/a # x\n"), "base:\n  hf_repo: org/a\n  revision: " + kA + " # x\n");
  EXPECT_EQ(pinned("base: {hf_repo: org/a}\n"), "base: {hf_repo: org/a, revision: " + kA + "}\n");
  EXPECT_EQ(pinned("base:\n  revision: " + kB + "\n  hf_repo: 'org/a'\n"),
            "base:\n  revision: " + kA + "\n  hf_repo: 'org/a'\n");
}

TEST(PinSpec, refuses_what_it_cannot_edit) {
  EXPECT_THAT(pinned("base: {hf_repo: org/c, revision: main}\n"),
              HasSubstr("no pull has told the commit of 'org/c'"));
  EXPECT_THAT(pinned("base: &b {hf_repo: org/a, revision: main}\ncomponents: {vae: {base: *b}}\n"),
              HasSubstr("m.yaml"));
  EXPECT_THAT(pinned("title: \xc3\xa4\nbase: {hf_repo: org/a, revision: \"ma\\x69n\"}\n"),
              HasSubstr("cannot be edited"));
  EXPECT_THAT(pinned("title: \xc3\xa4\nbase: {hf_repo: org/a, revision: main}\n"), HasSubstr(kA));
}

}  // namespace
}  // namespace roundhouse::host
