// SPDX-License-Identifier: Apache-2.0
// Tests that prompts stay out of what an engine says.
#include "host/worker/redaction.h"

#include <gtest/gtest.h>

namespace roundhouse::host {
namespace {

TEST(WithoutPrompts, ReplacesBothPromptsWhereverTheyStand) {
  ImageTask job;
  job.prompt = "my secret";
  job.negative_prompt = "hidden";
  EXPECT_EQ(without_prompts("my secretmy secret: not hidden, my secre", job),
            "<prompt><prompt>: not <prompt>, my secre");
  EXPECT_EQ(without_prompts("", job), "");
}

TEST(WithoutPrompts, TakesOutPartsOfALongPromptToo) {
  ImageTask job;
  job.prompt = "a lighthouse on a cliff\nabove a stormy sea, at night";
  EXPECT_EQ(without_prompts("prompt: a lighthouse on a cliff above a stormy sea, at", job),
            "prompt: <prompt> <prompt>");
  EXPECT_EQ(without_prompts("line 2: above a stormy sea, at night", job), "line 2: <prompt>");
  EXPECT_EQ(without_prompts("a lighthouse", job), "a lighthouse");
}

TEST(WithoutPrompts, LeavesTextAloneWhenThePromptIsTooShortToMeanAnything) {
  ImageTask job;
  EXPECT_EQ(without_prompts("a plain text", job), "a plain text");
  job.prompt = "a";
  EXPECT_EQ(without_prompts("a plain text", job), "a plain text");
}

}  // namespace
}  // namespace roundhouse::host
