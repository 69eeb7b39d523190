// SPDX-License-Identifier: Apache-2.0
// Who may ask: hosts, origins and keys, by themselves and through a server.
#include "host/server/http/access.h"

#include <gmock/gmock.h>

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
