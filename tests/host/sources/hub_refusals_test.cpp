// SPDX-License-Identifier: Apache-2.0
// Hubs that refuse, that fail, and that lie.
#include "tests/host/sources/hub_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using test::FakeHub;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kDamagedWeights = "vae/diffusion_pytorch_model.safetensors";

TEST_F(HubTest, APatientServerIsAskedAgain) {
  for (const unsigned status : {429U, 500U, 503U}) {
    answer_once("/revision/main", {status, {{"Retry-After", "0"}}, ""});
    EXPECT_EQ(pulled(), "ok") << status;
    answer_once("/vae/config.json", {status, {{"Retry-After", "0"}}, ""});
    fs::remove_all(root());
    EXPECT_EQ(pulled(), "ok") << status;
  }
  answer_always("/revision/main", {503, {{"Retry-After", "0"}}, ""});
  const std::size_t before = hub_.requests().size();
  EXPECT_THAT(pulled(), StartsWith("SOURCE_REJECTED: hub: 503 for repository 'test/model'"));
  EXPECT_EQ(hub_.requests().size() - before, 5u);
  answer_always("/revision/main", {429, {{"Retry-After", "3600"}}, ""});
  EXPECT_THAT(pulled(), StartsWith("SOURCE_REJECTED: hub: 429"));
}

TEST_F(HubTest, WrongContentIsNamedAndRemoved) {
  std::string other = hub_.files[kDamagedWeights].content;
  const std::string right = sha256(other).brief();
  other.back() = static_cast<char>(other.back() ^ 1);
  answer_always(large_path(kDamagedWeights), {200, {}, other});
  EXPECT_EQ(pulled(), "INTEGRITY_MISMATCH: file '" + kDamagedWeights + "': sha256 is " +
                          sha256(other).brief() + ".., expected " + right + "..");
  fs::remove_all(root());
  answer_always("/vae/config.json",
                {200, {}, std::string(hub_.files["vae/config.json"].content.size(), 'x')});
  EXPECT_THAT(pulled(), StartsWith("INTEGRITY_MISMATCH: file 'vae/config.json': git sha1 is "));
  fs::remove_all(root());
  answer_always("/vae/config.json", {200, {}, "{}"});
  EXPECT_THAT(pulled(), HasSubstr("file 'vae/config.json': has 2 bytes, expected "));
  fs::remove_all(root());
  answer_always("/vae/config.json", {200, {}, hub_.files["vae/config.json"].content + " "});
  EXPECT_THAT(pulled(), StartsWith("SOURCE_REJECTED: file 'vae/config.json'"));
  EXPECT_TRUE(store().list().empty());
  hub_.instead = {};
  EXPECT_EQ(pulled(), "ok");
}

TEST_F(HubTest, EveryRefusalHasItsCode) {
  const auto refused = [&](unsigned status, const std::string& code) {
    answer_always("/revision/main", {status, {{"X-Error-Code", code}, {"X-Error-Message", "so\tit is"}}, ""});
    return pulled();
  };
  EXPECT_THAT(refused(401, "RepoNotFound"), StartsWith("AUTH_REQUIRED: hub: 401 for repository"));
  EXPECT_THAT(refused(404, "RepoNotFound"),
              StartsWith("MODEL_NOT_FOUND: hub: repository 'test/model' is missing or gated: so?it is"));
  EXPECT_THAT(refused(403, "GatedRepo"),
              StartsWith("AUTH_REQUIRED: hub: 403 for repository 'test/model', which is gated"));
  EXPECT_THAT(refused(401, "GatedRepo"), HasSubstr("which is gated"));
  EXPECT_THAT(refused(404, "RevisionNotFound"),
              StartsWith("MODEL_NOT_FOUND: hub: repository 'test/model' has no revision 'main'"));
  EXPECT_THAT(refused(418, ""), StartsWith("SOURCE_REJECTED: hub: 418"));
  answer_always("/vae/config.json", {404, {{"X-Error-Code", "EntryNotFound"}}, ""});
  EXPECT_THAT(pulled(),
              StartsWith("WEIGHTS_MISSING: hub: repository 'test/model' has no file 'vae/config.json'"));
  hub_.instead = {};
  EXPECT_THAT(outcome([&] { pull({{{"test/model", "v9"}}}, "m"); }), HasSubstr("no revision 'v9'"));
}

TEST_F(HubTest, HostileListingsAreRefusedBeforeAnyFile) {
  const auto listing = [&](const std::string& text) {
    hub_.edit_listing = [text](std::string& body) { body = text; };
    return pulled();
  };
  const std::string oid = "\"oid\":\"" + std::string(40, 'a') + "\"";
  const auto entry = [&](const std::string& path, const std::string& size) {
    return R"({"type":"file",)" + oid + R"(,"size":)" + size + R"(,"path":")" + path + "\"}";
  };
  for (const char* path : {"../x.json", "/etc/passwd", "vae/../../x.json", ""})
    EXPECT_THAT(listing("[" + entry(path, "1") + "]"), StartsWith("SOURCE_REJECTED")) << path;
  // Names that no model can have are left out, as an import leaves them out.
  for (const char* path : {"a//b.json", "a\\\\b", "a\\nb"})
    EXPECT_THAT(listing("[" + entry(path, "1") + "]"), testing::Not(StartsWith("SOURCE_REJECTED"))) << path;
  EXPECT_THAT(listing("[" + entry("a.json", "1") + "," + entry("a.json", "1") + "]"),
              HasSubstr("comes twice"));
  EXPECT_THAT(listing("[" + entry("a.json", "1") + "," + entry("a.json/b.json", "1") + "]"),
              StartsWith("WEIGHTS_MISSING"));
  hub_.edit_listing = {};
  for (const char* size : {"9223372036854775808", "-1", "1.5", "\"1\"", "1e300", "null"})
    EXPECT_THAT(listing("[" + entry("a.json", size) + "]"), StartsWith("SOURCE_REJECTED")) << size;
  for (const char* text :
       {"", "{}", "[", "[1]", "[{}]", "nonsense", "[{\"type\":\"file\",\"path\":\"a.json\"}]"})
    EXPECT_THAT(listing(text), StartsWith("SOURCE_REJECTED")) << text;
  EXPECT_THAT(listing(std::string(5000, '[')), StartsWith("SOURCE_REJECTED"));
  std::string many = "[";
  for (int i = 0; i < 100'000; ++i)
    many += (i > 0 ? "," : "") + entry(std::to_string(i) + ".json", "1");
  EXPECT_THAT(listing(many + "]"), HasSubstr("more than 50000 files"));
  EXPECT_EQ(hub_.bytes_served(), 0u);
}

TEST_F(HubTest, AListingThatGoesOnElsewhereGetsNoToken) {
  options_.token = "hf_secret";
  answer_always("/tree/" + std::string(FakeHub::kCommit),
                {200, {{"Link", "<http://127.0.0.1:9/next>; rel=\"next\""}}, "[]"});
  EXPECT_THAT(pulled(), HasSubstr("goes on at another server"));
}

// The reader of this header must not depend on its length: the hub decides that.
TEST_F(HubTest, ALinkHeaderOfAnyLengthIsReadOrRefused) {
  for (const std::size_t length : {10'000U, 60'000U}) {
    answer_always("/tree/" + std::string(FakeHub::kCommit),
                  {200, {{"Link", "<" + std::string(length, 'a') + ">; rel=\"next\""}}, "[]"});
    EXPECT_THAT(pulled(), ::testing::Not("ok")) << length;
  }
}

}  // namespace
}  // namespace roundhouse::host
