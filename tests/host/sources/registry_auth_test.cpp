// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_auth.h"

#include <gmock/gmock.h>

#include "host/sources/registry_client.h"
#include "tests/host/sources/fake_registry.h"

namespace roundhouse::host {
namespace {

using test::HttpServer;
using test::ServerReply;
using test::ServerRequest;
using testing::HasSubstr;
using testing::Not;

const RegistryCredentials kUser{"ann", "secret"};

// A registry that has every blob for whom it trusts, and asks others for what `challenge` says.
class RegistryAuthTest : public testing::Test {
 protected:
  std::shared_ptr<RegistryLink> link(const std::optional<RegistryCredentials>& credentials,
                                     const std::string& note = "") {
    RegistryAccess access;
    access.http.allow_plain_http = true;
    access.search = {credentials, note};
    return open_registry(RegistryReference::parse("oci://" + registry_.address() + "/team/tiny"), access);
  }
  std::string outcome(const std::shared_ptr<RegistryLink>& link, RegistryUse use = RegistryUse::pull) {
    try {
      return RegistryClient(link, use, {}).has_blob(sha256("x")) ? "there" : "absent";
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what() + " | " + std::string(error.hint());
    }
  }
  std::size_t token_requests() const { return tokens_.requests().size(); }

  std::string challenge_, accepted_ = "nobody";
  ServerReply token_reply_{200, {}, R"({"token": "t0"})"};
  HttpServer tokens_{[this](const ServerRequest&) { return token_reply_; }};
  HttpServer registry_{[this](const ServerRequest& request) {
    if (request.get("authorization") == accepted_) return ServerReply{};
    ServerReply reply = test::refusal(401, "UNAUTHORIZED", "authentication required");
    if (!challenge_.empty()) reply.headers.emplace_back("WWW-Authenticate", challenge_);
    return reply;
  }};

  void use_bearer() {
    challenge_ = "Bearer realm=\"http://" + tokens_.address() +
                 "/token?x=1\",service=\"the registry\",scope=\"repository:team/tiny:pull\"";
    accepted_ = "Bearer t0";
  }
};

TEST_F(RegistryAuthTest, NobodyIsAskedWhereTheRegistryIsOpen) {
  accepted_ = "";
  EXPECT_EQ(outcome(link(kUser)), "there");
  EXPECT_EQ(registry_.requests().back().get("authorization"), "");
}

TEST_F(RegistryAuthTest, BasicIsGivenOnceItIsAskedFor) {
  challenge_ = "Basic realm=\"x\"";
  accepted_ = kUser.basic();
  const auto opened = link(kUser);
  EXPECT_EQ(outcome(opened), "there");
  const std::size_t before = registry_.requests().size();
  EXPECT_EQ(outcome(opened), "there");
  EXPECT_EQ(registry_.requests().size(), before + 1) << "known now";
  EXPECT_THAT(
      outcome(link(std::nullopt, "the note")),
      testing::AllOf(HasSubstr("AUTH_REQUIRED"), HasSubstr("without a login"), HasSubstr("the note")));
  const std::string refused = outcome(link(RegistryCredentials{"bob", "wrong"}));
  EXPECT_THAT(refused, HasSubstr("AUTH_REQUIRED"));
  EXPECT_THAT(refused, HasSubstr("to user 'bob'"));
  EXPECT_THAT(refused, Not(HasSubstr("wrong")));
}

TEST_F(RegistryAuthTest, ThreadsThatWereRefusedAtOnceGetTheSameAnswer) {
  challenge_ = "Basic realm=\"x\"";
  const auto opened = link(kUser);
  HttpClient client(opened->http);
  HttpResponse refused;
  refused.status = 401;
  refused.headers.set("WWW-Authenticate", challenge_);
  const RegistryScopes scopes = {pull_scope("team/tiny")};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(opened->auth.answer(client, refused, scopes, std::nullopt), kUser.basic());
  use_bearer();
  refused.headers.set("WWW-Authenticate", challenge_);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(opened->auth.answer(client, refused, scopes, std::nullopt), "Bearer t0");
  EXPECT_EQ(token_requests(), 1u);
}

TEST_F(RegistryAuthTest, ATokenIsFetchedOnceForEachSetOfScopes) {
  use_bearer();
  const auto opened = link(kUser);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(outcome(opened), "there");
  ASSERT_EQ(token_requests(), 1u);
  const ServerRequest asked = tokens_.requests().front();
  EXPECT_EQ(asked.query("x"), "1");
  EXPECT_EQ(asked.query("service"), "the%20registry");
  EXPECT_EQ(asked.query("scope"), "repository:team/tiny:pull");
  EXPECT_EQ(asked.get("authorization"), kUser.basic());
  EXPECT_EQ(outcome(opened, RegistryUse::push), "there");
  ASSERT_EQ(token_requests(), 2u);
  EXPECT_THAT(tokens_.requests().back().target, HasSubstr("scope=repository:team/tiny:pull,push"));
}

TEST_F(RegistryAuthTest, AnonymousTokensNeedNoLogin) {
  use_bearer();
  token_reply_.body = R"({"access_token": "t0", "expires_in": 300})";
  EXPECT_EQ(outcome(link(std::nullopt)), "there");
  EXPECT_EQ(tokens_.requests().front().get("authorization"), "");
}

TEST_F(RegistryAuthTest, AnExpiredTokenIsReplacedBeforeItIsUsed) {
  use_bearer();
  token_reply_.body = R"({"token": "t0", "expires_in": 0})";
  const auto opened = link(std::nullopt);
  EXPECT_EQ(outcome(opened), "there");
  const std::size_t before = registry_.requests().size();
  EXPECT_EQ(outcome(opened), "there");
  EXPECT_EQ(token_requests(), 2u);
  EXPECT_EQ(registry_.requests().size(), before + 1);
}

TEST_F(RegistryAuthTest, ATokenThatTheRegistryRevokedIsReplaced) {
  use_bearer();
  const auto opened = link(std::nullopt);
  EXPECT_EQ(outcome(opened), "there");
  accepted_ = "Bearer t1";
  token_reply_.body = R"({"token": "t1"})";
  EXPECT_EQ(outcome(opened), "there");
  accepted_ = "nobody";
  EXPECT_THAT(outcome(opened), HasSubstr("AUTH_REQUIRED"));
}

TEST_F(RegistryAuthTest, BadTokenServersAreRefused) {
  use_bearer();
  for (const char* body : {"", "[]", "{}", R"({"token": 3})", R"({"token": ""})", R"({"token": "a\r\nb"})"}) {
    token_reply_.body = body;
    EXPECT_THAT(outcome(link(kUser)), HasSubstr("SOURCE_REJECTED: token server")) << body;
  }
  token_reply_ = test::refusal(401, "UNAUTHORIZED", "who\nare you");
  EXPECT_THAT(outcome(link(kUser)), HasSubstr("AUTH_REQUIRED"));
  EXPECT_THAT(outcome(link(kUser)), HasSubstr("who?are you"));
  token_reply_ = {503};
  EXPECT_THAT(outcome(link(kUser)), HasSubstr("SOURCE_UNREACHABLE"));
  challenge_ = "Bearer service=\"x\"";
  EXPECT_THAT(outcome(link(kUser)), HasSubstr("names no token server"));
  challenge_ = "Negotiate";
  EXPECT_THAT(outcome(link(kUser)), HasSubstr("a login of an unknown kind"));
}

TEST_F(RegistryAuthTest, PasswordsGoToNoOtherHostInTheClear) {
  use_bearer();
  challenge_ = "Bearer realm=\"http://tokens.example/token\"";
  const std::string refused = outcome(link(kUser));
  EXPECT_THAT(refused, HasSubstr("SOURCE_REJECTED"));
  EXPECT_THAT(refused, HasSubstr("'http://tokens.example/token' would get the password in the clear"));
}

TEST_F(RegistryAuthTest, RedirectsGetNoCredentials) {
  challenge_ = "Basic realm=\"x\"";
  accepted_ = kUser.basic();
  HttpServer elsewhere([](const ServerRequest&) { return ServerReply{200, {}, "content"}; });
  HttpServer store([&](const ServerRequest& request) -> ServerReply {
    if (request.get("authorization") != accepted_) return {401, {{"WWW-Authenticate", challenge_}}};
    if (request.path() == "/v2/") return {200};
    return {307, {{"Location", "http://" + elsewhere.address() + "/signed?secret=1"}}};
  });
  RegistryAccess access;
  access.http.allow_plain_http = true;
  access.search = {kUser, ""};
  RegistryClient client(
      open_registry(RegistryReference::parse("oci://" + store.address() + "/team/tiny"), access),
      RegistryUse::pull, {});
  std::string content;
  const HttpResponse response = client.get_blob(
      sha256("x"), 0, {[](const HttpResponse&) { return true; }, [&](auto bytes) { content += bytes; }});
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(content, "content");
  ASSERT_EQ(elsewhere.requests().size(), 1u);
  EXPECT_EQ(elsewhere.requests()[0].get("authorization"), "");
}

TEST_F(RegistryAuthTest, AnswersHaveTheirMeaning) {
  accepted_ = "";
  const auto opened = link(std::nullopt);
  unsigned status = 0;
  HttpServer server([&](const ServerRequest& request) {
    return request.path() == "/v2/" ? ServerReply{} : test::refusal(status, "CODE", "words\x1b[31m");
  });
  RegistryAccess access;
  access.http.allow_plain_http = true;
  const auto other = open_registry(RegistryReference::parse("oci://" + server.address() + "/a"), access);
  const std::pair<unsigned, const char*> meanings[] = {
      {401, "AUTH_REQUIRED"},   {403, "AUTH_REQUIRED"},      {404, "MODEL_NOT_FOUND"},
      {405, "SOURCE_REJECTED"}, {413, "SOURCE_REJECTED"},    {429, "SOURCE_UNREACHABLE"},
      {418, "SOURCE_REJECTED"}, {500, "SOURCE_UNREACHABLE"}, {503, "SOURCE_UNREACHABLE"}};
  for (const auto& [answer, code] : meanings) {
    status = answer;
    try {
      RegistryClient(other, RegistryUse::pull, {}).manifest("latest");
      ADD_FAILURE() << answer;
    } catch (const Error& error) {
      if (answer == 401) {
        EXPECT_EQ(status_name(error.code()), "SOURCE_REJECTED") << "no challenge";
        continue;
      }
      EXPECT_EQ(status_name(error.code()), code) << answer;
      EXPECT_THAT(error.what(), HasSubstr("(CODE: words?[31m)")) << answer;
    }
  }
}

}  // namespace
}  // namespace roundhouse::host
