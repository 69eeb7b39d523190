// SPDX-License-Identifier: Apache-2.0
#include "host/sources/link_header.h"

#include <gtest/gtest.h>

namespace roundhouse::host {
namespace {

TEST(LinkHeader, GivesTheTargetOfTheRelationNext) {
  EXPECT_EQ(next_link(R"(<https://hub/a?cursor=1>; rel="next")"), "https://hub/a?cursor=1");
  EXPECT_EQ(next_link("</a>;rel=next"), "/a");
  EXPECT_EQ(next_link(R"(</first>; rel="first", </a,b;c>; title="x, <y>; rel=next"; REL = "Next last")"),
            "/a,b;c");
  EXPECT_EQ(next_link(R"(</a>; title="a \"quoted\" one"; rel=next)"), "/a");
  EXPECT_EQ(next_link("</a>; crossorigin; rel=next"), "/a");
}

TEST(LinkHeader, GivesNothingForOtherRelationsAndForWhatCannotBeRead) {
  for (const char* field :
       {"", ",", "<", "<>", "</a>", "</a", "</a>; rel=", "</a>; rel=previous", "</a>; rel=nextpage",
        "</a>; xrel=next", "</a>; rel=prev; rel=next", R"(</a>; rel="next)", R"(</a>; rel="next\)",
        "/a; rel=next", R"(</a>; title="<b>; rel=next")", "</a> x; rel=next"})
    EXPECT_EQ(next_link(field), std::nullopt) << field;
}

// A reader that calls itself for each character ends the process here.
TEST(LinkHeader, IsReadWithoutStackHoweverLongItIs) {
  const std::string target(4 << 20, 'a');
  EXPECT_EQ(next_link("<" + target + ">; rel=next"), target);
  EXPECT_EQ(next_link("</a>" + std::string(4 << 20, ';') + "rel=next"), "/a");
  EXPECT_EQ(next_link("</a>; rel=\"" + std::string(4 << 20, ' ') + "next\""), "/a");
  EXPECT_EQ(next_link(std::string(4 << 20, '<')), std::nullopt);
}

}  // namespace
}  // namespace roundhouse::host
