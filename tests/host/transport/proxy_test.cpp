// SPDX-License-Identifier: Apache-2.0
// Requests that go through a proxy, and those that do not.
#include "host/transport/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "host/transport/base64.h"
#include "host/transport/http_client.h"
#include "tests/host/sources/http_server.h"
#include "tests/host/transport/proxy_server.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Variables = std::map<std::string, std::string>;

ProxyRules rules(const Variables& variables) {
  return ProxyRules::from([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string found(const Variables& variables, const std::string& url) {
  const auto proxy = rules(variables).find(Url::parse(url));
  return proxy ? proxy->url.authority() : "none";
}

TEST(ProxyRules, say_which_requests_go_through_which) {
  const Variables both = {{"https_proxy", "http://secure:1"}, {"HTTP_PROXY", "plain:2"}};
  EXPECT_EQ(found(both, "https://x/"), "secure:1");
  EXPECT_EQ(found(both, "http://x/"), "plain:2");
  EXPECT_EQ(found({{"https_proxy", "a:1"}, {"HTTPS_PROXY", "b:1"}}, "https://x/"), "a:1");
  EXPECT_EQ(found({{"https_proxy", ""}, {"ALL_PROXY", "c:1"}}, "https://x/"), "c:1");
  EXPECT_EQ(found({{"HTTP_PROXY", "plain:2"}}, "https://x/"), "none");
  EXPECT_EQ(found({{"all_proxy", "http://[::1]:3128/"}}, "https://x/"), "[::1]:3128");
  EXPECT_EQ(found({}, "https://x/"), "none");
}

TEST(ProxyRules, leave_out_what_no_proxy_lists) {
  const auto with = [](const std::string& list, const std::string& url) {
    return found({{"ALL_PROXY", "p:1"}, {"NO_PROXY", list}}, url) == "none";
  };
  EXPECT_TRUE(with("*", "https://x/"));
  EXPECT_TRUE(with("other, Example.COM", "https://example.com/"));
  EXPECT_TRUE(with("example.com", "https://a.example.com/"));
  EXPECT_FALSE(with("example.com", "https://badexample.com/"));
  EXPECT_TRUE(with(".example.com", "https://a.example.com/"));
  EXPECT_TRUE(with("*.example.com", "https://a.example.com/"));
  EXPECT_TRUE(with("example.com:8443", "https://example.com:8443/"));
  EXPECT_FALSE(with("example.com:8443", "https://example.com/"));
  EXPECT_TRUE(with("10.0.0.0/8", "http://10.200.0.1/"));
  EXPECT_FALSE(with("10.0.0.0/8", "http://11.0.0.1/"));
  EXPECT_TRUE(with("127.0.0.1", "http://127.0.0.1:5000/"));
  EXPECT_TRUE(with("fd00::/8", "http://[fd12::1]/"));
  EXPECT_TRUE(with("[::1]:80", "http://[::1]/"));
  EXPECT_FALSE(with("0.0.0.0/0", "http://[::1]/"));
  EXPECT_TRUE(with("0.0.0.0/0", "http://1.2.3.4/"));
  for (const char* nothing : {"", ",", "10.0.0.0/33", "x/8", "/", ":", "[", "a:99999", "..", "1.2.3.4/-1"})
    EXPECT_FALSE(with(nothing, "http://1.2.3.4/")) << nothing;
}

TEST(ProxyRules, name_the_variable_and_no_password_when_they_cannot_be_read) {
  for (const char* odd : {"socks5://me:secret@x:1", "https://me:secret@x", "me:secret@", "me:secret@a b:1",
                          "me:secret@x:99999", "://"}) {
    try {
      rules({{"HTTPS_PROXY", odd}});
      ADD_FAILURE() << odd;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      EXPECT_THAT(error.what(), StartsWith("HTTPS_PROXY: "));
      EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    }
  }
}

class ThroughProxy : public ::testing::Test {
 protected:
  std::string fetched(const std::string& url, Variables variables) {
    HttpOptions options;
    options.proxies = rules(variables);
    options.allow_plain_http = true;
    HttpRequest request;
    request.url = Url::parse(url);
    request.authorization = "Bearer token";
    try {
      const HttpResponse response = HttpClient(options).fetch(request, 1000);
      return std::to_string(response.status) + " " + response.body;
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }
  std::string port() const { return std::to_string(server_.port()); }

  test::ProxyServer proxy_;
  test::HttpServer server_{[](const test::ServerRequest& request) {
    return test::ServerReply{
        200, {}, request.target + " " + request.get("host") + " " + request.get("proxy-authorization")};
  }};
};

TEST_F(ThroughProxy, a_plain_request_names_its_whole_address) {
  EXPECT_EQ(fetched("http://hub.example:" + port() + "/a?b", {{"http_proxy", proxy_.address()}}),
            "200 /a?b hub.example:" + port() + " ");
  ASSERT_THAT(proxy_.heads(), SizeIs(1));
  EXPECT_THAT(proxy_.heads()[0], StartsWith("GET http://hub.example:" + port() + "/a?b HTTP/1.1\r\n"));
  EXPECT_THAT(fetched("http://127.0.0.1:" + port() + "/",
                      {{"http_proxy", proxy_.address()}, {"no_proxy", "127.0.0.0/8"}}),
              StartsWith("200 / "));
  EXPECT_THAT(proxy_.heads(), SizeIs(1)) << "asked directly";
}

TEST_F(ThroughProxy, a_login_is_the_proxys_own) {
  proxy_.login = "Basic " + base64_encoded("me:p@ss");
  const std::string url = "http://hub.example:" + port() + "/";
  EXPECT_THAT(fetched(url, {{"http_proxy", proxy_.address()}}), HasSubstr("asks for a user and a password"));
  EXPECT_THAT(fetched(url, {{"http_proxy", "http://me:wrong@" + proxy_.address()}}),
              StartsWith("AUTH_REQUIRED: proxy '" + proxy_.address() + "': does not accept"));
  EXPECT_THAT(fetched(url, {{"http_proxy", "http://me:p%40ss@" + proxy_.address()}}), StartsWith("200 / "));
  EXPECT_THAT(fetched("https://hub.example:" + port() + "/", {{"https_proxy", proxy_.address()}}),
              StartsWith("AUTH_REQUIRED"));
  EXPECT_THAT(proxy_.heads().back(), Not(HasSubstr("Bearer"))) << "that is for the server";
}

TEST_F(ThroughProxy, a_proxy_that_refuses_or_talks_nonsense_is_named) {
  const auto answered = [&](const std::string& refusal) {
    proxy_.refusal = refusal;
    return fetched("https://hub.example/", {{"https_proxy", proxy_.address()}});
  };
  EXPECT_THAT(answered("HTTP/1.1 403 No\r\n\r\n"), "SOURCE_UNREACHABLE: proxy '" + proxy_.address() +
                                                       "': answers 403 when asked for 'hub.example:443'");
  EXPECT_THAT(answered("SSH-2.0\r\n\r\n"), HasSubstr("its answer is not HTTP"));
  EXPECT_THAT(answered("HTTP/1.1 200"), HasSubstr("connection cut"));
  EXPECT_THAT(answered(std::string(20'000, 'x')), HasSubstr("more than 16384 bytes"));
  EXPECT_THAT(fetched("https://hub.example/", {{"https_proxy", "127.0.0.1:1"}}),
              HasSubstr("proxy '127.0.0.1:1': connection refused"));
}

TEST_F(ThroughProxy, plain_http_within_this_machine_stays_within) {
  HttpOptions options;
  options.proxies = rules({{"http_proxy", "proxy.example:3128"}});
  HttpRequest request;
  request.url = Url::parse("http://127.0.0.1:" + port() + "/");
  EXPECT_THROW(HttpClient(options).fetch(request, 1000), Error);
  EXPECT_THAT(server_.requests(), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::host
