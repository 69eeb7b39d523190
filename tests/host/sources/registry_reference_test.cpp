// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_reference.h"

#include <gmock/gmock.h>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string refusal(const std::string& text) {
  try {
    return "accepted as " + RegistryReference::parse(text).text();
  } catch (const Error& error) {
    return std::string(status_name(error.code())) + ": " + error.what();
  }
}

TEST(RegistryReference, HasRegistryRepositoryTagAndDigest) {
  const auto whole = RegistryReference::parse("oci://GHCR.io/team/models/tiny__q8-a.b:1.0@" + kDigest);
  EXPECT_EQ(whole.registry, "ghcr.io");
  EXPECT_EQ(whole.repository, "team/models/tiny__q8-a.b");
  EXPECT_EQ(whole.tag, "1.0");
  EXPECT_EQ(whole.selector(), kDigest);
  EXPECT_EQ(whole.text(), "oci://ghcr.io/team/models/tiny__q8-a.b:1.0@" + kDigest);
  const auto tagged = RegistryReference::parse("oci://localhost:5000/tiny:v1");
  EXPECT_EQ(tagged.registry, "localhost:5000");
  EXPECT_EQ(tagged.selector(), "v1");
  EXPECT_EQ(RegistryReference::parse("oci://[::1]:5000/tiny").registry, "[::1]:5000");
  EXPECT_EQ(RegistryReference::parse("oci://host/tiny").selector(), "latest");
}

TEST(RegistryReference, LeadsToAnAddress) {
  EXPECT_EQ(RegistryReference::parse("oci://ghcr.io/a/b").endpoint(false).text(), "https://ghcr.io/v2/");
  EXPECT_EQ(RegistryReference::parse("oci://h:5000/a").endpoint(true).text(), "http://h:5000/v2/");
  EXPECT_EQ(RegistryReference::parse("oci://docker.io/a/b").endpoint(false).text(),
            "https://registry-1.docker.io/v2/");
  EXPECT_EQ(RegistryReference::parse("oci://h:443/a").endpoint(true).text(), "http://h:443/v2/");
}

TEST(RegistryReference, NamesTheModel) {
  const auto name = [](const std::string& text) {
    const auto found = RegistryReference::parse(text).default_name();
    return found ? found->text() : "none";
  };
  EXPECT_EQ(name("oci://h/team/tiny"), "tiny");
  EXPECT_EQ(name("oci://h/team/tiny:latest"), "tiny");
  EXPECT_EQ(name("oci://h/team/tiny:q8"), "tiny:q8");
  EXPECT_EQ(name("oci://h/team/tiny@" + kDigest), "tiny");
  EXPECT_EQ(name("oci://h/team/ti__ny"), "none");
  EXPECT_EQ(name("oci://h/team/tiny:_x"), "none");
}

TEST(RegistryReference, RefusesWhatTheGrammarDoesNotHave) {
  for (const char* text : {"",
                           "oci://",
                           "oci://host",
                           "oci://host/",
                           "oci:///a",
                           "http://host/a",
                           "oci://host/A",
                           "oci://host/a/",
                           "oci://host//a",
                           "oci://host/../a",
                           "oci://host/a..b",
                           "oci://host/a___b",
                           "oci://host/-a",
                           "oci://host/a:",
                           "oci://host/a:b:c",
                           "oci://host/a:.b",
                           "oci://host/a@sha256:12",
                           "oci://host/a@",
                           "oci://ho st/a",
                           "oci://host:0x1/a",
                           "oci://host:99999/a",
                           "oci://host/a?b",
                           "oci://host/a\r\nb"})
    EXPECT_THAT(refusal(text), testing::StartsWith("INVALID_ARGUMENT: reference")) << text;
  EXPECT_THAT(refusal("oci://host/" + std::string(256, 'a')), HasSubstr("the repository"));
  EXPECT_THAT(refusal("oci://host/a:" + std::string(129, 'a')), HasSubstr("the tag"));
}

TEST(RegistryReference, DoesNotRepeatAPassword) {
  EXPECT_THAT(refusal("oci://user:secret@host/a"), HasSubstr("a user or a password"));
  EXPECT_THAT(refusal("oci://user:secret@host/a"), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace roundhouse::host
