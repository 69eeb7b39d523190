// SPDX-License-Identifier: Apache-2.0
// The client against servers that behave, and against some that do not.
#include "host/transport/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

#include "tests/host/sources/http_server.h"
#include "tests/host/store/temporary_directory.h"
#include "tests/host/transport/raw_server.h"

namespace roundhouse::host {
namespace {

using std::chrono::milliseconds;
using test::HttpServer;
using test::RawServer;
using test::ServerReply;
using test::ServerRequest;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Step = HttpFailure::Step;

constexpr std::uint64_t kLimit = 1 << 20;

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = Url::parse(url);
  return request;
}

HttpOptions quick() {
  HttpOptions options;
  options.silence_timeout = milliseconds(200);
  return options;
}

// What was thrown: "CODE: message", with the step of an HttpFailure before it.
std::string thrown(const std::function<void()>& work) {
  static const char* const kSteps[] = {"name", "connect", "tls", "silence", "cut"};
  try {
    work();
    return "ok";
  } catch (const HttpFailure& failure) {
    return std::string(kSteps[static_cast<int>(failure.step())]) + ": " + failure.what();
  } catch (const Error& error) {
    return std::string(status_name(error.code())) + ": " + error.what();
  }
}

std::string fetched(const std::string& url, const HttpOptions& options = quick()) {
  return thrown([&] { HttpClient(options).fetch(get(url), kLimit); });
}

std::vector<std::string> letters(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text)
    pieces.emplace_back(1, c);
  return pieces;
}

const std::string kHead = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kHead + "Transfer-Encoding: chunked\r\n\r\n";

TEST(HttpClient, ReadsChunksHoweverTheyAreCut) {
  const std::string text =
      kChunked + "5;note=x\r\nhello\r\n1\r\n \r\n005\r\nworld\r\n0\r\nTrailer: x\r\n\r\n";
  RawServer server({{letters(text)}, {{text}}});
  for (int i = 0; i < 2; ++i) {
    const HttpResponse response = HttpClient({}).fetch(get(server.url()), kLimit);
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(response.body, "hello world");
  }
}

TEST(HttpClient, ReadsABodyThatEndsWithTheConnection) {
  RawServer server({{{kHead + "\r\n", "to the ", "end"}}, {{kHead + "Content-Length: 0\r\n\r\n"}}});
  EXPECT_EQ(HttpClient({}).fetch(get(server.url()), kLimit).body, "to the end");
  EXPECT_EQ(HttpClient({}).fetch(get(server.url()), kLimit).body, "");
}

TEST(HttpClient, SkipsInterimAnswers) {
  RawServer server({{{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kHead +
                      "Content-Length: 2\r\n\r\nok"}}});
  EXPECT_EQ(HttpClient({}).fetch(get(server.url()), kLimit).body, "ok");
}

TEST(HttpClient, GivesUpAServerThatSaysToContinueForEver) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "HTTP/1.1 100 Continue\r\n\r\n";
  RawServer server({{{text}, true}});
  EXPECT_THAT(fetched(server.url()), HasSubstr("says to continue more than 16 times"));
}

TEST(HttpClient, SaysWhenAnAnswerIsCut) {
  for (const std::string& text : {std::string(), kHead, kHead + "Content-Length: 10\r\n\r\nhello",
                                  kChunked + "5\r\nhel", kChunked + "5\r\nhello\r\n"}) {
    RawServer server({{{text}}});
    EXPECT_THAT(fetched(server.url()), StartsWith("cut: host '127.0.0.1:")) << text;
  }
}

TEST(HttpClient, SaysWhenAServerIsSilent) {
  for (const std::string& text : {std::string(), kHead, kHead + "Content-Length: 10\r\n\r\nhello"}) {
    RawServer server({{{text}, true}});
    EXPECT_THAT(fetched(server.url()), StartsWith("silence: host '127.0.0.1:")) << text;
  }
}

TEST(HttpClient, SaysWhenNobodyListens) {
  const auto [listener, port] = test::listen_on_loopback();
  ::close(listener);
  EXPECT_THAT(fetched("http://127.0.0.1:" + std::to_string(port) + "/"), HasSubstr("connection refused"));
}

TEST(HttpClient, RefusesWhatIsNoAnswer) {
  const std::string huge = kHead + "X: " + std::string(70'000, 'x') + "\r\n\r\n";
  std::string many = kHead;
  for (int i = 0; i < 10'000; ++i)
    many += "X-" + std::to_string(i) + ": y\r\n";
  const std::string long_field = kHead + "Link: " + std::string(20'000, 'x') + "\r\n\r\n";
  for (const std::string& text :
       {std::string("SSH-2.0-OpenSSH_9\r\n\r\n"), std::string("HTTP/3 200 OK\r\n\r\n"), huge, many + "\r\n",
        long_field, kHead + "no colon\r\n\r\n", kHead + "Content-Length: -1\r\n\r\n",
        kHead + "Content-Length: 99999999999999999999\r\n\r\n", kChunked + "zz\r\nhello\r\n",
        kChunked + "ffffffffffffffffff\r\nx", kHead + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        kHead + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"}) {
    RawServer server({{{text}}});
    EXPECT_THAT(fetched(server.url()), StartsWith("SOURCE_REJECTED: http://127.0.0.1:"))
        << text.substr(0, 80);
  }
}

TEST(HttpClient, CountsAHeadThatComesInPieces) {
  test::RawAnswer answer{{kHead}};
  for (int piece = 0; piece < 100; ++piece) {
    std::string fields;
    for (int i = 0; i < 100; ++i)
      fields += "X-" + std::to_string(i) + ": y\r\n";
    answer.pieces.push_back(fields);
  }
  answer.pieces.push_back("\r\n");
  RawServer server({answer});
  EXPECT_THAT(fetched(server.url()), StartsWith("SOURCE_REJECTED: http://127.0.0.1:"));
}

TEST(HttpClient, HoldsNoMoreThanItWasToldTo) {
  RawServer server({{{kHead + "Content-Length: 2000000\r\n\r\n"}},
                    {{kChunked + "20\r\n" + std::string(32, 'x') + "\r\n0\r\n\r\n"}}});
  EXPECT_THAT(thrown([&] { HttpClient({}).fetch(get(server.url()), kLimit); }),
              HasSubstr("more than 1048576 bytes"));
  EXPECT_THAT(thrown([&] { HttpClient({}).fetch(get(server.url()), 31); }), HasSubstr("more than 31 bytes"));
}

TEST(HttpClient, StreamsToASink) {
  const HttpServer server([](const ServerRequest& request) {
    if (request.target == "/missing") return ServerReply{404, {}, std::string(100'000, 'e')};
    return ServerReply{200, {}, std::string(3'000'000, 'x')};
  });
  std::uint64_t bytes = 0;
  const HttpSink sink{[](const HttpResponse& head) { return head.status == 200; },
                      [&](std::string_view piece) { bytes += piece.size(); }};
  HttpClient client({});
  EXPECT_EQ(client.stream(get("http://" + server.address() + "/x"), sink).body, "");
  EXPECT_EQ(bytes, 3'000'000u);
  const HttpResponse missing = client.stream(get("http://" + server.address() + "/missing"), sink);
  EXPECT_EQ(missing.status, 404u);
  EXPECT_EQ(missing.body.size(), 65'536u) << "as much as an error's text needs";
  EXPECT_EQ(bytes, 3'000'000u);
  EXPECT_EQ(thrown([&] {
              client.stream(get("http://" + server.address() + "/x"),
                            {[](const HttpResponse&) { return true; },
                             [](std::string_view) { throw Error(RH_INSUFFICIENT_STORAGE, "full"); }});
            }),
            "INSUFFICIENT_STORAGE: full");
}

TEST(HttpClient, GivesCredentialsToTheFirstOriginOnly) {
  const HttpServer other([](const ServerRequest& request) {
    return ServerReply{request.target == "/back" ? 302U : 200U, {}, request.get("authorization")};
  });
  std::string location;
  const HttpServer server([&](const ServerRequest& request) {
    if (request.target != "/start") return ServerReply{200, {}, request.get("authorization")};
    return ServerReply{302, {{"Location", location}}, "moved"};
  });
  HttpRequest request = get("http://" + server.address() + "/start");
  request.authorization = "Bearer secret";
  const auto seen = [&](const std::string& where) {
    location = where;
    return HttpClient({}).fetch(request, kLimit).body;
  };
  EXPECT_EQ(seen("/there"), "Bearer secret");
  EXPECT_EQ(seen("http://" + server.address() + "/there"), "Bearer secret");
  EXPECT_EQ(seen("http://" + other.address() + "/there"), "");
  EXPECT_EQ(seen("http://localhost:" + std::to_string(server.port()) + "/there"), "") << "another name";
}

TEST(HttpClient, FollowsRedirectsWithinReason) {
  const HttpServer server([](const ServerRequest& request) {
    if (request.target == "/loop") return ServerReply{302, {{"Location", "/loop"}}, ""};
    if (request.target == "/nowhere") return ServerReply{302, {}, ""};
    if (request.target == "/away") return ServerReply{302, {{"Location", "http://192.0.2.1/"}}, ""};
    if (request.target == "/file") return ServerReply{302, {{"Location", "file:///etc/passwd"}}, ""};
    if (request.target == "/keep") return ServerReply{307, {{"Location", "/echo"}}, ""};
    return ServerReply{200, {}, request.method + " " + request.body};
  });
  const std::string base = "http://" + server.address();
  EXPECT_THAT(fetched(base + "/loop"), HasSubstr("redirects more than 10 times"));
  EXPECT_THAT(fetched(base + "/nowhere"), HasSubstr("302 without a Location"));
  EXPECT_THAT(fetched(base + "/away"), StartsWith("SOURCE_REJECTED: url 'http://192.0.2.1/': plain http"));
  EXPECT_THAT(fetched(base + "/file"), StartsWith("SOURCE_REJECTED"));
  HttpRequest post = get(base + "/keep");
  post.method = "POST";
  post.body = "text";
  EXPECT_EQ(HttpClient({}).fetch(post, kLimit).body, "POST text");
  post.url = Url::parse(base + "/loop");
  EXPECT_EQ(HttpClient({}).fetch(post, kLimit).status, 302u) << "for the caller to say";
}

TEST(HttpClient, KeepsAConnectionAndNoticesWhenItIsGone) {
  const std::string answer = kHead + "Content-Length: 2\r\n\r\nok";
  RawServer server({{{answer}}, {{answer}}});
  HttpClient client({});
  EXPECT_EQ(client.fetch(get(server.url()), kLimit).body, "ok");
  EXPECT_EQ(client.fetch(get(server.url()), kLimit).body, "ok")
      << "the first connection was closed meanwhile";
  EXPECT_EQ(server.connections(), 2u);
}

TEST(HttpClient, EndsWhenItIsCancelled) {
  RawServer server({{{kHead}, true}});
  HttpOptions options;
  std::atomic<int> asked = 0;
  options.cancelled = [&] { return ++asked > 5; };
  EXPECT_THAT(fetched(server.url(), options), StartsWith("CANCELLED"));
}

TEST(HttpClient, UsesPlainHttpWithinThisMachineOnly) {
  EXPECT_THAT(fetched("http://hub.example/x?token=secret"),
              StartsWith("INVALID_ARGUMENT: url 'http://hub.example/x':"));
}

TEST(HttpClient, SendsFilesAsTheyLie) {
  const TemporaryDirectory directory;
  std::string content;
  for (int i = 0; i < 400'000; ++i)
    content += static_cast<char>('a' + i % 26);
  const auto file = directory.write("file", content);
  const HttpServer server([](const ServerRequest& request) {
    return ServerReply{201, {{"X-Length", request.get("content-length")}}, request.body};
  });
  HttpRequest put = get("http://" + server.address() + "/");
  put.method = "PUT";
  put.file = FileRange{file, 1000, 300'000};
  std::uint64_t sent = 0;
  put.sent = [&](std::uint64_t bytes) { sent = bytes; };
  const HttpResponse response = HttpClient({}).fetch(put, kLimit);
  EXPECT_EQ(response.status, 201u);
  EXPECT_EQ(response.body, content.substr(1000, 300'000));
  EXPECT_EQ(sent, 300'000u);
  put.file = FileRange{file, 399'999, 2};
  EXPECT_THAT(thrown([&] { HttpClient({}).fetch(put, kLimit); }), StartsWith("IO_ERROR"));
}

TEST(HttpClient, SendsNoHeaderThatIsTwo) {
  HttpRequest request = get("http://127.0.0.1:9/");
  request.headers.set("X-Name", "a\r\nHost: elsewhere");
  EXPECT_THAT(thrown([&] { HttpClient({}).fetch(request, kLimit); }),
              StartsWith("INVALID_ARGUMENT: http header 'X-Name'"));
  request.headers = {};
  request.authorization = "Bearer secret\nX: y";
  const std::string told = thrown([&] { HttpClient({}).fetch(request, kLimit); });
  EXPECT_THAT(told, StartsWith("INVALID_ARGUMENT: http header 'Authorization'"));
  EXPECT_EQ(told.find("secret"), std::string::npos);
  request = get("http://127.0.0.1:9/");
  request.method = "GET / HTTP/1.1\r\nX: y";
  EXPECT_THAT(thrown([&] { HttpClient({}).fetch(request, kLimit); }),
              StartsWith("INVALID_ARGUMENT: http method"));
}

TEST(HttpClient, AHeadHasNoBody) {
  RawServer server({{{kHead + "Content-Length: 1000\r\n\r\n"}}});
  HttpRequest head = get(server.url());
  head.method = "HEAD";
  const HttpResponse response = HttpClient({}).fetch(head, 10);
  EXPECT_EQ(response.content_length(), 1000u);
  EXPECT_EQ(response.headers.get("content-LENGTH"), "1000");
}

}  // namespace
}  // namespace roundhouse::host
