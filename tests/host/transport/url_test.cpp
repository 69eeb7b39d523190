// SPDX-License-Identifier: Apache-2.0
#include "host/transport/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

TEST(Url, IsTakenApart) {
  const Url url = Url::parse("HTTPS://Hub.Example:8443/a/b%20c?x=1&y=2#there");
  EXPECT_EQ(url.scheme(), "https");
  EXPECT_EQ(url.host(), "hub.example");
  EXPECT_EQ(url.port(), 8443);
  EXPECT_EQ(url.target(), "/a/b%20c?x=1&y=2");
  EXPECT_EQ(url.text(), "https://hub.example:8443/a/b%20c?x=1&y=2");
  EXPECT_EQ(url.shown(), "https://hub.example:8443/a/b%20c");
  EXPECT_EQ(Url::parse("http://x").text(), "http://x/");
  EXPECT_EQ(Url::parse("http://x:80/?q").authority(), "x");
  EXPECT_EQ(Url::parse("http://[::1]:81/").host(), "::1");
  EXPECT_EQ(Url::parse("http://[::1]:81/").origin(), "http://[::1]:81");
}

TEST(Url, RefusesWhatItCannotReach) {
  for (const char* text :
       {"", "x", "/x", "ftp://x/", "http:///x", "http://", "https://x:0/", "https://x:99999/",
        "https://user:secret@x/", "http://a b/", "http://x/a b", "http://x/\r\nHost: y", "http://x/\xc3\xa4",
        "file:///x", "http:x", "http:/x", "http://a%2fb/", "http://127.0.0.1.example/"}) {
    try {
      Url::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT) << text;
      EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
    }
  }
}

TEST(Url, ResolvesWhatALocationSays) {
  const Url base = Url::parse("https://a.example/x/y?q=1");
  EXPECT_EQ(base.resolve("z").text(), "https://a.example/x/z");
  EXPECT_EQ(base.resolve("/z?p=%20").text(), "https://a.example/z?p=%20");
  EXPECT_EQ(base.resolve("//b.example/z").text(), "https://b.example/z");
  EXPECT_EQ(base.resolve("http://b.example:81/z#f").text(), "http://b.example:81/z");
  EXPECT_EQ(base.resolve("../z").target(), "/z");
  EXPECT_EQ(base.resolve("/a b\xc3\xa4").target(), "/a%20b%C3%A4") << "as servers write it";
  for (const char* location : {"ftp://x/", "file:///etc/passwd", "http://user@x/", "javascript:x"}) {
    try {
      base.resolve(location);
      ADD_FAILURE() << location;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_SOURCE_REJECTED) << location;
    }
  }
}

TEST(Url, KnowsWhatStaysWithinTheMachine) {
  for (const char* text : {"http://localhost/", "http://127.0.0.1:80/", "http://127.9.9.9/", "http://[::1]/"})
    EXPECT_TRUE(Url::parse(text).loopback()) << text;
  for (const char* text :
       {"http://127.example/", "http://localhost.example/", "http://10.0.0.1/", "http://[::2]/"})
    EXPECT_FALSE(Url::parse(text).loopback()) << text;
}

TEST(Url, AnOriginIsSchemeHostAndPort) {
  const Url url = Url::parse("https://a/x");
  EXPECT_TRUE(url.same_origin(Url::parse("https://A:443/y")));
  EXPECT_FALSE(url.same_origin(Url::parse("http://a/x")));
  EXPECT_FALSE(url.same_origin(Url::parse("https://a:444/x")));
  EXPECT_FALSE(url.same_origin(Url::parse("https://b/x")));
}

TEST(Url, EncodesWhatHasNoPlaceInIt) {
  EXPECT_EQ(percent_encoded("a/b c%"), "a%2Fb%20c%25");
  EXPECT_EQ(percent_encoded("a/b\xc3\xa4", "/"), "a/b%C3%A4");
}

}  // namespace
}  // namespace roundhouse::host
