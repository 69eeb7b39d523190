// SPDX-License-Identifier: Apache-2.0
// Where a request begins and ends, and who still listens: what a client may not decide for others.
#include <gmock/gmock.h>

#include <thread>

#include "host/server/http/server.h"
#include "tests/server/client.h"

namespace roundhouse::test {
namespace {

using namespace host::http;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;

class FramingTest : public testing::Test {
 protected:
  FramingTest() {
    router_.add(
        {"plain", "/", [](const Request&, const Error& error, int) { return std::string(error.what()); }});
    router_.add("GET", "/v1/host", {}, [](Exchange& exchange) {
      exchange.send(200, "text/plain", std::string(exchange.request().headers.find("Host").value_or("")));
    });
    router_.add("POST", "/echo", {},
                [](Exchange& exchange) { exchange.send(200, "text/plain", exchange.request().body); });
    router_.add("POST", "/wait", {}, [this](Exchange& exchange) {
      begun_ = true;
      while (!exchange.cancelled() && !go_on_)
        std::this_thread::sleep_for(milliseconds(2));
      cancelled_ = exchange.cancelled().load();
      exchange.send(200, "text/plain", "done");
    });
  }

  std::uint16_t port() {
    if (server_ == nullptr) {
      server_ = std::make_unique<Server>(router_, options_);
      server_->start();
    }
    return server_->port();
  }
  Answer answer_to(const std::string& request) {
    Client client(port());
    client.send(request);
    Answer answer = client.read_answer();
    closed_ = client.closed_within(milliseconds(2000));
    return answer;
  }
  static bool becomes_true(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000 && !holds(); ++i)
      std::this_thread::sleep_for(milliseconds(10));
    return holds();
  }

  Router router_;
  ServerOptions options_;
  std::atomic<bool> begun_ = false, go_on_ = false, cancelled_ = false;
  bool closed_ = false;

 private:
  std::unique_ptr<Server> server_;  // last: its handlers use the rest
};

// Else the body would be the next request, which a proxy in front has never seen.
TEST_F(FramingTest, an_unknown_transfer_encoding_ends_the_connection) {
  const std::string inner = "GET /v1/host HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string method : {"POST /echo", "GET /v1/host", "OPTIONS *", "GET /unknown"}) {
    for (const std::string encoding :
         {"xchunked", "identity", "chunked, identity", "gzip, chunked", "gzip", "chunked, chunked", ""}) {
      const Answer answer = answer_to(
          method + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: " + encoding + "\r\n\r\n" + inner);
      EXPECT_TRUE(answer.status == 501 || answer.status == 400) << method << ' ' << encoding << answer.status;
      EXPECT_EQ(answer.field("Connection"), "close");
      EXPECT_TRUE(closed_) << method << ' ' << encoding;
    }
  }
  const Answer twice = answer_to(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n" +
      inner);
  EXPECT_EQ(twice.status, 400);
  EXPECT_TRUE(closed_);
}

TEST_F(FramingTest, a_whole_address_names_the_host) {
  const auto host_of = [&](const std::string& target, const std::string& host) {
    const Answer answer =
        answer_to("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return answer.status == 200 ? answer.body : std::to_string(answer.status);
  };
  EXPECT_EQ(host_of("http://127.0.0.1:80/v1/host", "evil.example"), "127.0.0.1:80");
  EXPECT_EQ(host_of("HTTPS://localhost/v1/host", "evil.example"), "localhost");
  EXPECT_EQ(host_of("http://evil.example/v1/host", "localhost"), "403");
  EXPECT_EQ(host_of("http://localhost@evil.example/v1/host", "localhost"), "400");
  EXPECT_EQ(host_of("http:///v1/host", "localhost"), "400");
  EXPECT_EQ(host_of("ftp://localhost/v1/host", "localhost"), "400");
}

TEST_F(FramingTest, there_is_one_origin) {
  const std::string begin =
      "GET /v1/host HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: ";
  options_.access.allowed_origins = {"http://localhost"};
  EXPECT_EQ(answer_to(begin + "http://evil.example\r\n\r\n").status, 400);
  EXPECT_EQ(answer_to(begin + "http://localhost\r\n\r\n").status, 400);
}

TEST_F(FramingTest, slashes_too_many_are_left_out) {
  for (const std::string path : {"/v1/host", "//v1/host", "/v1//host", "/v1/host/", "///v1///host//?a=b"})
    EXPECT_EQ(answer_to("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").status,
              200)
        << path;
  EXPECT_EQ(answer_to("GET /v1/%2Fhost HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
}

TEST_F(FramingTest, a_client_that_leaves_is_noticed_whatever_it_sent_before) {
  for (const std::size_t ahead :
       {std::size_t{0}, std::size_t{10'000}, std::size_t{70'000}, std::size_t{2'000'000}}) {
    for (const bool rudely : {false, true}) {
      begun_ = cancelled_ = false;
      Client client(port());
      client.send_request("POST", "/wait", "x");
      ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
      client.send(std::string(ahead, 'G'));
      client.close(rudely);
      EXPECT_TRUE(becomes_true([&] { return cancelled_.load(); })) << ahead << ' ' << rudely;
    }
  }
}

TEST_F(FramingTest, who_sends_more_than_is_kept_gets_one_answer) {
  Client client(port());
  client.send_request("POST", "/wait", "x");
  ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
  std::string requests;
  for (int i = 0; i < 4000; ++i)
    requests += "GET /v1/host HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(requests));
  std::this_thread::sleep_for(milliseconds(200));
  go_on_ = true;
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.closed_within(milliseconds(5000)));
}

TEST_F(FramingTest, idle_connections_make_room_the_longest_idle_first) {
  options_.limits.connections = 4;
  std::vector<Client> idle;
  for (int i = 0; i < 4; ++i) {
    idle.emplace_back(port());
    ASSERT_EQ(idle.back().ask("GET", "/v1/host").status, 200);
    std::this_thread::sleep_for(milliseconds(5));
  }
  Client busy(port());
  busy.send_request("POST", "/wait", "x");
  ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
  EXPECT_TRUE(idle[0].closed_within(milliseconds(5000)));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(ask(port(), "GET", "/v1/host").status, 200);
  go_on_ = true;
  EXPECT_EQ(busy.read_answer().body, "done");
}

}  // namespace
}  // namespace roundhouse::test
