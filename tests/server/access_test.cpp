// SPDX-License-Identifier: Apache-2.0
// Who may ask: hosts, origins and keys, by themselves and through a server.
#include "host/server/http/access.h"

#include <gmock/gmock.h>

#include "host/server/http/own_address.h"
#include "host/server/http/server.h"
#include "tests/server/client.h"

namespace roundhouse::test {
namespace {

using namespace host::http;  // NOLINT(google-build-using-namespace)

class Access : public testing::Test {
 protected:
  Access() {
    options_.name = "roundhouse/test";
    router_.add("GET", "/open", {0, false, true},
                [](Exchange& exchange) { exchange.send(200, kJson, "{}"); });
    router_.add("POST", "/work", {}, [this](Exchange& exchange) {
      ++worked_;
      exchange.send(200, kJson, "{}");
    });
  }
  std::uint16_t port() {
    if (!server_) {
      server_ = std::make_unique<Server>(router_, options_);
      server_->start();
    }
    return server_->port();
  }
  int work_as(const Fields& fields) { return ask(port(), "POST", "/work", "{}", fields).status; }

  std::atomic<int> worked_{0};
  Router router_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

TEST_F(Access, answers_to_the_names_of_loopback_only) {
  const std::string own = ":" + std::to_string(port());
  for (const std::string host :
       {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.8.9.1", "[::1]", "a.localhost"})
    EXPECT_EQ(work_as({{"Host", host + own}}), 200) << host;
  EXPECT_EQ(work_as({{"Host", "localhost"}}), 200);
  worked_ = 0;
  for (const std::string host :
       {"evil.example", "192.168.0.7", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost",
        "[::2]", "[::1", "localhost:80:80", "localhost:x", "", "@localhost", "evil@localhost"})
    EXPECT_EQ(work_as({{"Host", host}}), 403) << host;
  EXPECT_EQ(worked_, 0);
}

TEST_F(Access, answers_to_more_names_where_it_was_told) {
  options_.access.allowed_hosts = {"studio.lan"};
  EXPECT_EQ(work_as({{"Host", "Studio.LAN:8080"}}), 200);
  EXPECT_EQ(work_as({{"Host", "192.168.0.7"}}), 403);
  EXPECT_EQ(work_as({{"Host", "x.studio.lan"}}), 403);
}

TEST_F(Access, answers_to_addresses_but_to_no_names_when_it_serves_others) {
  options_.access.remote = true;
  EXPECT_EQ(work_as({{"Host", "192.168.0.7:11435"}}), 200);
  EXPECT_EQ(work_as({{"Host", "[fe80::1]"}}), 200);
  EXPECT_EQ(work_as({{"Host", "evil.example"}}), 403);
}

TEST_F(Access, lets_no_page_of_another_origin_ask) {
  const std::string own = std::to_string(port());
  EXPECT_EQ(work_as({{"Origin", "http://localhost:" + own}}), 200);
  EXPECT_EQ(work_as({{"Origin", "http://127.0.0.1:" + own}}), 200);
  worked_ = 0;
  for (const std::string& origin :
       {std::string("http://evil.example"), std::string("null"), "https://localhost:" + own,
        std::string("http://localhost"), std::string("http://localhost:1"),
        "http://localhost:" + own + ".evil.example", "http://localhost:" + own + "/", std::string("file://"),
        std::string("")}) {
    const Answer answer =
        ask(port(), "POST", "/work", "{}", {{"Host", "localhost:" + own}, {"Origin", origin}});
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_FALSE(answer.field("Access-Control-Allow-Origin")) << origin;
  }
  EXPECT_EQ(worked_, 0);
}

TEST_F(Access, refuses_preflights_of_others_and_says_nothing_to_their_browsers) {
  const Answer answer = ask(port(), "OPTIONS", "/work", "",
                            {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(answer.status, 403);
  for (const auto& [name, value] : answer.fields)
    EXPECT_FALSE(name.starts_with("Access-Control")) << name;
}

TEST_F(Access, takes_its_own_address_from_a_trusted_proxy) {
  options_.access.allowed_hosts = {"studio.example"};
  const std::string host = "127.0.0.1:" + std::to_string(port());
  const auto page = [&](Fields fields) {
    fields.emplace_back("Origin", "https://studio.example");
    return work_as(fields);
  };
  EXPECT_EQ(page({{"Host", "studio.example"}}), 403) << "http is another origin";
  EXPECT_EQ(page({{"Host", "studio.example"}, {"X-Forwarded-Proto", "https"}}), 200);
  EXPECT_EQ(page({{"Host", "studio.example:443"}, {"X-Forwarded-Proto", "https, http"}}), 200);
  EXPECT_EQ(page({{"Host", host}, {"Forwarded", "for=10.0.0.9;Proto=HTTPS;host=\"studio.example\""}}), 200);
  EXPECT_EQ(page({{"Host", host}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "studio.example"}}),
            200);
  EXPECT_EQ(
      work_as({{"Host", host}, {"X-Forwarded-Host", "evil.example"}, {"Origin", "http://evil.example"}}), 403)
      << "no name of this server";
}

TEST(OwnAddress, is_taken_from_proxies_that_are_trusted) {
  EXPECT_TRUE(is_trusted_proxy("127.0.0.1:5", {}));
  EXPECT_TRUE(is_trusted_proxy("[::1]:5", {}));
  EXPECT_TRUE(is_trusted_proxy("10.9.8.7:5", {"192.168.0.1", "10.0.0.0/8"}));
  EXPECT_TRUE(is_trusted_proxy("[::ffff:10.9.8.7]:5", {"10.0.0.0/8"}));
  EXPECT_TRUE(is_trusted_proxy("[fd00::7]:5", {"fd00::/16"}));
  EXPECT_FALSE(is_trusted_proxy("11.9.8.7:5", {"10.0.0.0/8"}));
  EXPECT_FALSE(is_trusted_proxy("[fd01::7]:5", {"fd00::/16", "10.0.0.0/8"}));
  EXPECT_FALSE(is_trusted_proxy("", {"10.0.0.0/8"}));

  AccessPolicy policy;
  policy.allowed_hosts = {"studio.example"};
  Request request;
  request.remote = "10.0.0.7:1";
  request.headers.add("Host", "studio.example");
  request.headers.add("X-Forwarded-Proto", "https");
  request.headers.add("X-Forwarded-Prefix", "/images/");
  EXPECT_EQ(own_address(request, policy).url(), "http://studio.example");
  policy.trusted_proxies = {"10.0.0.7"};
  EXPECT_EQ(own_address(request, policy).url(), "https://studio.example/images");
  request.headers.replace("X-Forwarded-Prefix", "/a/../b");
  EXPECT_EQ(own_address(request, policy).url(), "https://studio.example");
  policy.public_address = parse_public_url("x", "https://art.example:8443/x/");
  EXPECT_EQ(own_address(request, policy).url(), "https://art.example:8443/x");
}

TEST(OwnAddress, that_is_public_must_be_one) {
  EXPECT_EQ(parse_public_url("x", "http://a.example:80/").url(), "http://a.example");
  for (const char* bad : {"", "studio.example", "ftp://a.example", "https://", "https:///x",
                          "https://a.example/x?y", "https://me@a.example", "https://a.example/../x"})
    EXPECT_THROW(parse_public_url("x", bad), Error) << bad;
  EXPECT_TRUE(is_address_or_network("10.0.0.0/8"));
  for (const char* bad : {"", "localhost", "10.0.0.0/33", "10.0.0", "/8"})
    EXPECT_FALSE(is_address_or_network(bad)) << bad;
}

TEST_F(Access, answers_preflights_of_allowed_origins) {
  options_.access.allowed_origins = {"https://app.example"};
  const Answer answer = ask(port(), "OPTIONS", "/work", "",
                            {{"Origin", "https://app.example"},
                             {"Access-Control-Request-Method", "POST"},
                             {"Access-Control-Request-Headers", "authorization, content-type"},
                             {"Access-Control-Request-Private-Network", "true"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(answer.field("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(answer.field("Access-Control-Allow-Headers"), "authorization, content-type");
  EXPECT_EQ(answer.field("Access-Control-Allow-Private-Network"), "true");
  EXPECT_EQ(answer.field("Vary"), "Origin");
  const Answer work = ask(port(), "POST", "/work", "{}", {{"Origin", "https://app.example"}});
  EXPECT_EQ(work.status, 200);
  EXPECT_EQ(work.field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(work_as({{"Origin", "https://app.example.evil.example"}}), 403);
}

TEST_F(Access, asks_for_a_key_except_on_open_routes) {
  options_.access.api_keys = {"first-key", "second"};
  EXPECT_EQ(work_as({{"Authorization", "Bearer first-key"}}), 200);
  EXPECT_EQ(work_as({{"Authorization", "bearer second"}}), 200);
  EXPECT_EQ(work_as({{"X-Api-Key", "second"}}), 200);
  EXPECT_EQ(ask(port(), "GET", "/open").status, 200);
  worked_ = 0;
  for (const Fields& fields :
       {Fields{}, Fields{{"Authorization", "Bearer"}}, Fields{{"Authorization", "Bearer "}},
        Fields{{"Authorization", "Basic first-key"}}, Fields{{"X-Api-Key", ""}},
        Fields{{"X-Api-Key", "first-ke"}}, Fields{{"X-Api-Key", "first-keys"}}}) {
    const Answer answer = ask(port(), "POST", "/work", "{}", fields);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.field("WWW-Authenticate"), "Bearer");
  }
  EXPECT_EQ(worked_, 0);
}

}  // namespace
}  // namespace roundhouse::test
