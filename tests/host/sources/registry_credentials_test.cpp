// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_credentials.h"

#include <gmock/gmock.h>

#include <map>

#include "host/transport/base64.h"
#include "roundhouse/error.hpp"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

using testing::HasSubstr;

class RegistryCredentialsTest : public testing::Test {
 protected:
  CredentialSearch search(const std::string& reference) {
    return find_credentials(RegistryReference::parse(reference), [this](const std::string& name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    });
  }
  // "user:password" of what was found, or the note.
  std::string found(const std::string& reference) {
    const CredentialSearch result = search(reference);
    return result.found ? result.found->username + ":" + result.found->password : "note: " + result.note;
  }
  std::string refusal(const std::string& reference) {
    try {
      return found(reference);
    } catch (const Error& error) {
      return std::string(status_name(error.code())) + ": " + error.what();
    }
  }
  static std::string auth(const std::string& login) {
    return R"({"auth": ")" + base64_encoded(login) + "\"}";
  }
  void use_file(const std::string& text) {
    variables_["REGISTRY_AUTH_FILE"] = directory_.write("auth.json", text).string();
  }

  TemporaryDirectory directory_;
  std::map<std::string, std::string> variables_;
};

TEST_F(RegistryCredentialsTest, AreFoundNowhereByDefault) {
  EXPECT_EQ(found("oci://h/a"), "note: ");
}

TEST_F(RegistryCredentialsTest, OfTheEnvironmentComeFirst) {
  use_file(R"({"auths": {"h": )" + auth("file:x") + "}}");
  EXPECT_EQ(found("oci://h/a"), "file:x");
  variables_["ROUNDHOUSE_REGISTRY_USERNAME"] = "env";
  EXPECT_THAT(refusal("oci://h/a"), HasSubstr("INVALID_ARGUMENT: environment: only one of"));
  variables_["ROUNDHOUSE_REGISTRY_PASSWORD"] = "p:q";
  EXPECT_EQ(found("oci://h/a"), "env:p:q");
  EXPECT_EQ(search("oci://h/a").found->basic(), "Basic " + base64_encoded("env:p:q"));
}

TEST_F(RegistryCredentialsTest, OfTheLongestKeyWin) {
  use_file(R"({"auths": {"h:5000": )" + auth("host:1") + R"(, "h:5000/a": )" + auth("a:2") +
           R"(, "h:5000/a/b": )" + auth("ab:3") + R"(, "https://index.docker.io/v1/": )" + auth("hub:4") +
           "}}");
  EXPECT_EQ(found("oci://h:5000/a/b"), "ab:3");
  EXPECT_EQ(found("oci://h:5000/a/c"), "a:2");
  EXPECT_EQ(found("oci://h:5000/x"), "host:1");
  EXPECT_EQ(found("oci://h:5001/x"), "note: ");
  EXPECT_EQ(found("oci://docker.io/x/y"), "hub:4");
}

TEST_F(RegistryCredentialsTest, AreTakenFromTheFirstFileThatHasThem) {
  variables_["HOME"] = directory_.path().string();
  variables_["XDG_RUNTIME_DIR"] = (directory_.path() / "run").string();
  directory_.write(".docker/config.json", R"({"auths": {"h": )" + auth("docker:1") + "}}");
  EXPECT_EQ(found("oci://h/a"), "docker:1");
  directory_.write("run/containers/auth.json", R"({"auths": {"other": )" + auth("x:1") + "}}");
  EXPECT_EQ(found("oci://h/a"), "docker:1");
  directory_.write("run/containers/auth.json", R"({"auths": {"h": )" + auth("podman:2") + "}}");
  EXPECT_EQ(found("oci://h/a"), "podman:2");
}

TEST_F(RegistryCredentialsTest, OfHelpersAreNotUsedAndThatIsSaid) {
  use_file(R"({"auths": {"h": {}}, "credsStore": "desktop", "credHelpers": {"g": "gcloud"}})");
  EXPECT_THAT(found("oci://h/a"), HasSubstr("helper 'desktop', which is not used"));
  EXPECT_THAT(found("oci://g/a"), HasSubstr("helper 'gcloud', which is not used"));
  use_file(R"({"auths": {"h": {"identitytoken": "secret"}}})");
  EXPECT_THAT(found("oci://h/a"), HasSubstr("identity token, which is not used"));
}

TEST_F(RegistryCredentialsTest, OfADamagedFileAreRefusedWithoutItsContent) {
  for (const std::string entry :
       {R"({"auth": "c2VjcmV0"})", R"({"auth": "secret"})", R"({"auth": 3})", R"({"auth": "====" })"}) {
    use_file(R"({"auths": {"h": )" + entry + "}}");
    EXPECT_THAT(refusal("oci://h/a"), HasSubstr("auth.json': auth: expected base64 of USER:PASSWORD"))
        << entry;
    EXPECT_THAT(refusal("oci://h/a"), testing::Not(HasSubstr("secret"))) << entry;
    EXPECT_EQ(found("oci://g/a"), "note: ") << entry;
  }
  use_file("{\"auths\": {\"h\": secret");
  EXPECT_THAT(refusal("oci://h/a"), HasSubstr("INVALID_ARGUMENT: credential file"));
  use_file("[]");
  EXPECT_THAT(refusal("oci://h/a"), HasSubstr("INVALID_ARGUMENT: credential file"));
  use_file(R"({"auths": [1], "credHelpers": 2, "credsStore": {}})");
  EXPECT_EQ(found("oci://h/a"), "note: ");
}

}  // namespace
}  // namespace roundhouse::host
