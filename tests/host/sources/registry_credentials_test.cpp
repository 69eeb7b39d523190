// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_credentials.h"

#include <gmock/gmock.h>

#include <fstream>
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
    return find_credentials(
        RegistryReference::parse(reference),
        [this](const std::string& name) {
          const auto found = variables_.find(name);
          return found == variables_.end() ? std::nullopt : std::optional(found->second);
        },
        std::chrono::milliseconds(500));
  }
  // A program docker-credential-NAME in the test's PATH.
  void write_helper(const std::string& name, const std::string& script) {
    const auto file = directory_.write("bin/docker-credential-" + name,
                                       "#!/bin/sh\n[ \"$1\" = get ] || exit 9\n" + script + "\n");
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    variables_["PATH"] = "relative:/nonexistent:" + (directory_.path() / "bin").string();
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

TEST_F(RegistryCredentialsTest, OfHelpersAreAskedFor) {
  const auto home = directory_.path();
  write_helper("keys", "read server; echo \"$server\" >> " + (home / "asked").string() +
                           "\n"
                           "echo '{\"ServerURL\": \"x\", \"Username\": \"me\", \"Secret\": \"p:w\"}'");
  write_helper("empty", "echo 'credentials not found in native keychain'; exit 1");
  use_file(
      R"({"auths": {"h": {}, "old": )" + auth("stale:1") + R"(, "plain": )" + auth("file:1") +
      R"(}, "credsStore": "keys", "credHelpers": {"g:5000": "empty", "plain": "empty", "old": "keys"}})");
  EXPECT_EQ(found("oci://h/a"), "me:p:w");
  EXPECT_EQ(found("oci://docker.io/x/y"), "me:p:w");
  EXPECT_EQ(found("oci://plain/a"), "file:1");
  EXPECT_EQ(found("oci://old/a"), "me:p:w") << "a helper goes before what a login left in the file";
  EXPECT_THAT(found("oci://g:5000/a"), HasSubstr("helper 'empty', which knows no login for it"));
  std::ifstream asked(home / "asked");
  const std::string text{std::istreambuf_iterator<char>(asked), {}};
  EXPECT_EQ(text, "h\nhttps://index.docker.io/v1/\nold\n");
}

TEST_F(RegistryCredentialsTest, OfHelpersThatFailAreMissedWithTheReason) {
  write_helper("locked", "echo 'the keychain is locked'; exit 1");
  write_helper("slow", "exec sleep 60");
  write_helper("token", "echo '{\"Username\": \"<token>\", \"Secret\": \"s3cret\"}'");
  write_helper("odd", "echo 'no json s3cret'");
  write_helper("silent", "exit 3");
  const auto note = [&](const std::string& helper) {
    use_file(R"({"credsStore": ")" + helper + "\"}");
    return found("oci://h/a");
  };
  EXPECT_THAT(note("locked"), HasSubstr("helper 'locked', which failed: the keychain is locked"));
  EXPECT_THAT(note("slow"), HasSubstr("which did not answer within 0.5 s"));
  EXPECT_THAT(note("absent"), HasSubstr("which is missing: there is no 'docker-credential-absent' in PATH"));
  EXPECT_THAT(note("../x"), HasSubstr("which is not the name of a helper"));
  EXPECT_THAT(note("silent"), HasSubstr("which failed without a word"));
  for (const char* helper : {"token", "odd"})
    EXPECT_THAT(note(helper),
                testing::AllOf(testing::StartsWith("note: "), testing::Not(HasSubstr("s3cret"))));
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
