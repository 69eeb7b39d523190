// SPDX-License-Identifier: Apache-2.0
// The HTTP server by itself, with routes made for the purpose and clients of every kind.
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

#include "host/server/http/http_error.h"
#include "host/server/http/server.h"
#include "tests/server/client.h"

namespace roundhouse::test {
namespace {

using namespace host::http;  // NOLINT(google-build-using-namespace)
using std::chrono::milliseconds;
using testing::HasSubstr;

class HttpTest : public testing::Test {
 protected:
  HttpTest() {
    router_.add({"plain", "/", [](const Request& request, const Error& error, int status) {
                   return nlohmann::json{
                       {"error", error.what()}, {"status", status}, {"id", request.request_id}}
                       .dump();
                 }});
    router_.add("POST", "/echo", {1000, false, false},
                [](Exchange& exchange) { exchange.send(200, "text/plain", exchange.request().body); });
    router_.add("GET", "/hello/{name}", {}, [](Exchange& exchange) {
      exchange.send(200, "text/plain", "hello " + exchange.request().parameters.at("name"));
    });
    router_.add("GET", "/open", {0, false, true},
                [](Exchange& exchange) { exchange.send(200, kJson, "{}"); });
    router_.add("POST", "/count", {std::uint64_t{1} << 30, true, false}, [](Exchange& exchange) {
      std::size_t bytes = 0;
      for (std::string piece; !(piece = exchange.read_body()).empty();)
        bytes += piece.size();
      exchange.send(200, "text/plain", std::to_string(bytes));
    });
    router_.add("GET", "/wait", {}, [this](Exchange& exchange) {
      begun_ = true;
      while (!exchange.cancelled())
        std::this_thread::sleep_for(milliseconds(2));
      ended_ = true;
      throw Error(RH_CANCELLED, "cancelled");
    });
    router_.add("GET", "/lines", {}, [this](Exchange& exchange) {
      Stream& stream = exchange.begin(200, kNdjson);
      const std::string line = R"({"n":")" + std::string(1000, 'x') + "\"}\n";
      begun_ = true;
      while (stream.write(line)) {
        if (exchange.cancelled()) throw Error(RH_CANCELLED, "cancelled");
        ++written_;
      }
      ended_ = true;
    });
    router_.add("GET", "/half", {}, [](Exchange& exchange) {
      exchange.begin(200, kNdjson).write("{}\n");
      throw Error(RH_ENGINE_CRASHED, "engine 'x' died");
    });
    router_.add("GET", "/fail", {},
                [](Exchange&) { throw Error(RH_MODEL_NOT_FOUND, "model 'x' was not found"); });
    options_.name = "roundhouse/test";
    options_.completed = [this](const Completed& completed) {
      const std::lock_guard lock(mutex_);
      statuses_.push_back(completed.status);
    };
  }

  void start() {
    server_ = std::make_unique<Server>(router_, options_);
    server_->start();
  }
  std::uint16_t port() {
    if (!server_) start();
    return server_->port();
  }

  Router router_;
  ServerOptions options_;
  std::atomic<bool> begun_{false}, ended_{false};
  std::atomic<int> written_{0};
  std::mutex mutex_;
  std::vector<int> statuses_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpTest, answers_with_the_fields_that_every_answer_has) {
  const Answer answer = ask(port(), "GET", "/hello/a%20b");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello a b");
  EXPECT_EQ(answer.field("Server"), "roundhouse/test");
  EXPECT_THAT(answer.field("Date").value_or(""), HasSubstr(" GMT"));
  EXPECT_THAT(answer.field("X-Request-Id").value_or(""), testing::StartsWith("req-"));
}

TEST_F(HttpTest, takes_the_request_id_of_the_client_where_it_is_sane) {
  EXPECT_EQ(ask(port(), "GET", "/open", "", {{"X-Request-Id", "abc-1.2_3"}}).field("X-Request-Id"),
            "abc-1.2_3");
  EXPECT_NE(ask(port(), "GET", "/open", "", {{"X-Request-Id", "a b"}}).field("X-Request-Id"), "a b");
  const std::string long_id(65, 'a');
  EXPECT_NE(ask(port(), "GET", "/open", "", {{"X-Request-Id", long_id}}).field("X-Request-Id"), long_id);
  EXPECT_EQ(ask(port(), "GET", "/fail", "", {{"X-Request-Id", "abc"}}).json().at("id"), "abc");
}

TEST_F(HttpTest, keeps_a_connection_for_many_requests) {
  Client client(port());
  for (int i = 0; i < 50; ++i) {
    const std::string body = "body " + std::to_string(i);
    EXPECT_EQ(client.ask("POST", "/echo", body).body, body);
  }
}

TEST_F(HttpTest, answers_pipelined_requests_in_their_order) {
  Client client(port());
  std::string text;
  for (int i = 0; i < 20; ++i)
    text += "GET /hello/" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_TRUE(client.send(text));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client.read_answer().body, "hello " + std::to_string(i));
}

TEST_F(HttpTest, reads_bodies_in_chunks) {
  Client client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("3;x=y\r\nabc\r\n");
  client.send("4\r\ndefg\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "abcdefg");
  EXPECT_EQ(client.ask("POST", "/echo", "next").body, "next");
}

TEST_F(HttpTest, answers_HEAD_without_a_body_and_OPTIONS_with_the_methods) {
  Client client(port());
  const Answer head = client.ask("HEAD", "/hello/you");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "9");
  const Answer options = client.ask("OPTIONS", "/echo");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(client.ask("OPTIONS", "*").status, 204);
}

TEST_F(HttpTest, says_404_and_405_in_the_shape_of_the_dialect) {
  Client client(port());
  const Answer unknown = client.ask("GET", "/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.json().at("error"), "path '/nothing' is not known");
  const Answer method = client.ask("GET", "/echo");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.field("Allow"), "POST, OPTIONS");
  const Answer failed = client.ask("GET", "/fail");
  EXPECT_EQ(failed.status, 404);
  EXPECT_EQ(failed.json().at("error"), "model 'x' was not found");
}

TEST_F(HttpTest, ends_a_stream_that_fails_with_the_error_as_its_last_line) {
  Client client(port());
  const Answer answer = client.ask("GET", "/half");
  ASSERT_TRUE(answer.whole);
  ASSERT_EQ(answer.lines().size(), 2u);
  EXPECT_EQ(answer.lines().back().at("error"), "engine 'x' died");
  EXPECT_EQ(client.ask("GET", "/open").status, 200);
}

class Garbage : public HttpTest, public testing::WithParamInterface<const char*> {};

TEST_P(Garbage, is_400_and_the_end_of_the_connection) {
  Client client(port());
  client.send(GetParam());
  client.shutdown_send();
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.field("Connection"), "close");
  EXPECT_TRUE(client.closed_within(milliseconds(10'000)));
  EXPECT_EQ(ask(port(), "GET", "/open").status, 200);
}
INSTANTIATE_TEST_SUITE_P(
    requests, Garbage,
    testing::Values(
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 hello of TLS\r\n\r\n", "GET\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost : localhost\r\n\r\n", "GET /open HTTP/1.1\r\nHost\r\n\r\n",
        "GET /open HTTP/1.1\r\n\r\n", "GET /open HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
        "GET open HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /hello/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /hello/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"));

TEST_F(HttpTest, bounds_heads_and_bodies) {
  Client head(port());
  head.send("GET /open HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(head.read_answer().status, 431);
  Client endless(port());
  std::string field = "X: " + std::string(1000, 'x') + "\r\n";
  endless.send("GET /open HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 40 && endless.send(field); ++i) {
  }
  EXPECT_EQ(endless.read_answer().status, 431);
  Client body(port());
  EXPECT_EQ(body.ask("POST", "/echo", std::string(1001, 'x')).status, 413);
  Client said(port());
  said.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9223372036854775807\r\n\r\n");
  EXPECT_EQ(said.read_answer().status, 413);
  Client chunks(port());
  chunks.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100 && chunks.send("20\r\n" + std::string(32, 'x') + "\r\n"); ++i) {
  }
  EXPECT_EQ(chunks.read_answer().status, 413);
  EXPECT_EQ(ask(port(), "POST", "/echo", std::string(1000, 'x')).body.size(), 1000u);
}

TEST_F(HttpTest, gives_a_streamed_body_to_its_handler_in_pieces) {
  Client client(port());
  const std::string body(5'000'000, 'b');
  EXPECT_EQ(client.ask("POST", "/count", body).body, "5000000");
  EXPECT_EQ(client.ask("POST", "/count", "abc").body, "3");
  EXPECT_EQ(client.ask("POST", "/count").body, "0");
}

TEST_F(HttpTest, asks_for_a_body_that_the_client_holds_back) {
  Client client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_head().status, 100);
  client.send("abc");
  EXPECT_EQ(client.read_answer().body, "abc");
  Client other(port());
  other.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(other.read_head().status, 413);
  Client third(port());
  third.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: cake\r\n\r\n");
  EXPECT_EQ(third.read_head().status, 417);
}

TEST_F(HttpTest, speaks_HTTP_1_0_and_no_other_version) {
  Client old(port());
  old.send("GET /half HTTP/1.0\r\n\r\n");
  const Answer answer = old.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.lines().size(), 2u);
  Client odd(port());
  odd.send("GET /open HTTP/3.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(odd.read_answer().status, 505);
}

TEST_F(HttpTest, gives_up_on_clients_that_are_too_slow) {
  options_.limits.header_time = milliseconds(200);
  options_.limits.body_time = milliseconds(200);
  options_.limits.idle_time = milliseconds(200);
  Client silent(port()), loris(port()), half(port());
  loris.send("GET /open HTTP/1.1\r\nHo");
  half.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_TRUE(silent.closed_within(milliseconds(10'000)));
  EXPECT_TRUE(loris.closed_within(milliseconds(10'000)));
  EXPECT_TRUE(half.closed_within(milliseconds(10'000)));
  Client drip(port());
  bool open = true;
  for (int i = 0; i < 200 && open; ++i) {
    open = drip.send("x");
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_FALSE(open) << "a byte now and then kept the connection";
}

TEST_F(HttpTest, notices_a_client_that_leaves_while_a_handler_works) {
  for (const bool rudely : {false, true}) {
    begun_ = ended_ = false;
    Client client(port());
    client.send_request("GET", "/wait");
    ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
    client.close(rudely);
    EXPECT_TRUE(becomes_true([&] { return ended_.load(); })) << rudely;
  }
}

TEST_F(HttpTest, notices_a_client_that_leaves_a_stream_and_waits_for_one_that_is_slow) {
  Client client(port());
  client.send_request("GET", "/lines");
  ASSERT_TRUE(becomes_true([&] { return written_ > 100; }));
  // Nobody reads: the handler comes to a halt when the buffers are full.
  int before = -1;
  ASSERT_TRUE(becomes_true([&] {
    const int now = written_;
    std::this_thread::sleep_for(milliseconds(100));
    return std::exchange(before, now) == now;
  }));
  EXPECT_FALSE(ended_);
  client.read_head();
  for (int i = 0; i < before + 1000; ++i) {
    const auto line = client.read_line();
    ASSERT_TRUE(line);
    EXPECT_EQ(line->size(), 1008u);
  }
  EXPECT_GT(written_, before);
  client.close();
  EXPECT_TRUE(becomes_true([&] {
    const std::lock_guard lock(mutex_);
    return !statuses_.empty();
  }));
}

TEST_F(HttpTest, answers_a_client_that_only_stopped_sending) {
  Client client(port());
  client.send_request("POST", "/echo", "abc");
  client.shutdown_send();
  EXPECT_EQ(client.read_answer().body, "abc");
}

TEST_F(HttpTest, serves_others_while_many_connections_idle) {
  std::vector<Client> idle;
  for (int i = 0; i < 200; ++i)
    idle.emplace_back(port());
  for (int i = 0; i < 20; ++i)
    idle[static_cast<std::size_t>(i)].send("GET /wa");
  EXPECT_EQ(ask(port(), "GET", "/open").status, 200);
  EXPECT_TRUE(becomes_true([&] { return server_->connections() >= 200; }));
}

TEST_F(HttpTest, refuses_connections_beyond_the_bound) {
  options_.limits.connections = 2;
  Client first(port()), second(port());
  first.send_request("GET", "/wait");
  ASSERT_TRUE(becomes_true([&] { return begun_.exchange(false); }));
  second.send_request("GET", "/wait");
  ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
  Client third(port());
  EXPECT_EQ(third.read_answer().status, 503);
  first.close();
  EXPECT_TRUE(becomes_true([&] { return ask(port(), "GET", "/open").status == 200; }));
}

TEST_F(HttpTest, stops_after_running_requests_have_ended) {
  Client idle(port()), busy(port());
  ASSERT_EQ(idle.ask("GET", "/open").status, 200);
  busy.send_request("GET", "/wait");
  ASSERT_TRUE(becomes_true([&] { return begun_.load(); }));
  server_->stop(milliseconds(50), milliseconds(10'000));
  EXPECT_TRUE(ended_);
  EXPECT_EQ(busy.read_answer().status, 499);
  EXPECT_TRUE(idle.closed_within(milliseconds(1000)));
  EXPECT_THROW(Client{server_->port()}, std::runtime_error);
}

TEST_F(HttpTest, says_when_the_port_is_taken) {
  options_.places = {tcp_place("127.0.0.1", port())};
  Server second(router_, options_);
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_IO_ERROR);
    EXPECT_THAT(error.what(), HasSubstr("in use"));
  }
}

}  // namespace
}  // namespace roundhouse::test
