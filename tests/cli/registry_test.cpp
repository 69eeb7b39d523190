// SPDX-License-Identifier: Apache-2.0
// `push` and `pull oci://` with Debian's docker-registry, and skopeo as the second reader and writer.
#include "tests/cli/registry_fixture.h"
#include "tests/cli/token_server.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// User ann with password "secret", as htpasswd -B writes it.
constexpr const char* kUsers = "ann:$2y$04$1.klIbP5kE7f/9WsCar.aukhhjw/BVenkMysLOXGP15PQonSPFtLy\n";

constexpr const char* kWeights = "vae/diffusion_pytorch_model.safetensors";

class Registry : public RegistryTest {
 protected:
  fs::path data() const { return root_ / "registry"; }
  std::string with_users() const {
    std::ofstream(root_ / "users") << kUsers;
    return "{htpasswd: {realm: 'the realm', path: '" + (root_ / "users").string() + "'}}";
  }
  Outcome succeed(const std::string& script) const {
    const Outcome outcome = shell("set -e\n" + script);
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return outcome;
  }
};

TEST_F(Registry, has_the_same_model_as_both_stores) {
  const DockerRegistry registry(data());
  const std::string digest = import("pocket-turbo");
  const nlohmann::json pushed = run_json({"push", "pocket-turbo", at(registry.address(), "team/turbo:1.0")});
  EXPECT_EQ(pushed.at("digest"), digest);
  EXPECT_EQ(pushed.at("bytes_sent"), pushed.at("bytes"));
  const std::string raw =
      succeed("skopeo inspect --raw --tls-verify=false docker://" + registry.address() + "/team/turbo:1.0")
          .out;
  EXPECT_EQ(raw, content(root_ / "home/.local/share/roundhouse/blobs/sha256" / digest.substr(7)));
  const nlohmann::json pulled =
      run_json({"pull", at(registry.address(), "team/turbo:1.0"), "--home", "other"});
  EXPECT_EQ(pulled.at("name"), "turbo:1.0");
  EXPECT_EQ(pulled.at("digest"), digest);
  expect_whole("other", "turbo:1.0", digest);
  EXPECT_EQ(run_json({"pull", at(registry.address(), "team/turbo@" + digest), "--home", "other"}).at("name"),
            "turbo");
  EXPECT_EQ(run({"generate", "a cat", "--model", "turbo:1.0", "--home", "other", "--engine", "openblas",
                 "--steps", "1", "--width", "64", "--height", "64"})
                .status,
            0);
}

TEST_F(Registry, exchanges_models_with_skopeo) {
  const DockerRegistry registry(data());
  const std::string digest = import("pocket-turbo");
  run_json({"pack", "pocket-turbo", "model.tar"});
  succeed("skopeo copy -q --dest-tls-verify=false oci-archive:model.tar docker://" + registry.address() +
          "/theirs:v1");
  const nlohmann::json pulled =
      run_json({"pull", at(registry.address(), "theirs:v1"), "--name", "mine", "--home", "other"});
  EXPECT_EQ(pulled.at("digest"), digest);
  expect_whole("other", "mine", digest);
  run_json({"push", "mine", at(registry.address(), "back"), "--home", "other"});
  succeed("skopeo copy -q --src-tls-verify=false docker://" + registry.address() +
          "/back:latest oci:theirs:m");
  expect_whole("theirs", "m", digest);
}

TEST_F(Registry, of_other_things_is_told_apart) {
  const DockerRegistry registry(data());
  succeed(
      "mkdir -p image/blobs/sha256 && cd image && printf '{}' > c && "
      "C=$(sha256sum c | cut -d' ' -f1) && mv c blobs/sha256/$C && "
      "printf '{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":"
      "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":2},"
      "\"layers\":[]}' $C > m && M=$(sha256sum m | cut -d' ' -f1) && S=$(stat -c %s m) && "
      "mv m blobs/sha256/$M && printf '{\"imageLayoutVersion\":\"1.0.0\"}' > oci-layout && "
      "printf '{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
      "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\",\"size\":%s}]}' $M $S "
      "> index.json && cd .. && skopeo copy -q --dest-tls-verify=false oci:image docker://" +
      registry.address() + "/app:1");
  EXPECT_THAT(failure({"pull", at(registry.address(), "app:1")}),
              testing::AllOf(StartsWith("CAPABILITY_UNSUPPORTED: "), HasSubstr("is a container image")));
  EXPECT_THAT(failure({"pull", at(registry.address(), "app:2")}),
              testing::AllOf(StartsWith("MODEL_NOT_FOUND: "), HasSubstr("MANIFEST_UNKNOWN")));
  EXPECT_THAT(failure({"pull", at(registry.address(), "a__b"), "--name", "x"}),
              StartsWith("MODEL_NOT_FOUND: "));
}

TEST_F(Registry, with_passwords_takes_them_from_everywhere_and_repeats_them_nowhere) {
  const DockerRegistry registry(data(), {with_users()});
  import("pocket-turbo");
  const std::string target = at(registry.address(), "turbo");
  EXPECT_THAT(failure({"push", "pocket-turbo", target}), StartsWith("AUTH_REQUIRED: "));
  const Arguments push = {"push", "pocket-turbo", target, "--username", "ann", "--password-stdin"};
  const Outcome wrong = run({"push", "pocket-turbo", target, "--username", "ann", "--password-stdin",
                             "--json", "--log-file", "log", "--log-level", "debug"},
                            "guessed-it\n");
  EXPECT_EQ(wrong.json().at("error").at("code"), "AUTH_REQUIRED");
  EXPECT_THAT(wrong.out + wrong.err + content(work() / "log"), Not(HasSubstr("guessed-it")));
  EXPECT_THAT(failure({"push", "pocket-turbo", target, "--username", "ann"}), StartsWith("INVALID_ARGUMENT"));
  EXPECT_EQ(run(push, "secret\n").status, 0);
  std::ofstream(work() / "password") << "secret\n";
  EXPECT_EQ(run({"pull", target, "--username", "ann", "--password-file", "password", "--home", "a"}).status,
            0);
  EXPECT_EQ(shell("ROUNDHOUSE_REGISTRY_USERNAME=ann ROUNDHOUSE_REGISTRY_PASSWORD=secret $program pull " +
                  target + " --home b")
                .status,
            0);
  EXPECT_THAT(failure({"pull", target, "--home", "c"}), StartsWith("AUTH_REQUIRED: "));
  succeed("printf secret | skopeo login -u ann --password-stdin --tls-verify=false --authfile ~/auth.json " +
          registry.address());
  EXPECT_EQ(shell("REGISTRY_AUTH_FILE=~/auth.json $program pull " + target + " --home c").status, 0);
}

TEST_F(Registry, with_a_token_server_gives_each_what_they_may) {
  const TokenServer tokens(root_ / "tokens");
  const DockerRegistry registry(data(), {tokens.auth()});
  const std::string digest = import("pocket-turbo");
  std::ofstream(work() / "password") << "secret";
  const Arguments ann = {"--username", "ann", "--password-file", "password"};
  const auto with_login = [&](Arguments arguments) {
    arguments.insert(arguments.end(), ann.begin(), ann.end());
    return arguments;
  };
  for (const char* repository : {"public/turbo", "private/turbo"}) {
    const std::string target = at(registry.address(), repository);
    EXPECT_THAT(failure({"push", "pocket-turbo", target}), StartsWith("AUTH_REQUIRED: "));
    run_json(with_login({"push", "pocket-turbo", target}));
  }
  EXPECT_EQ(run_json(with_login({"push", "pocket-turbo", at(registry.address(), "private/again")}))
                .at("bytes_sent"),
            0)
      << "mounted";
  run_json({"pull", at(registry.address(), "public/turbo"), "--home", "other"});
  expect_whole("other", "turbo", digest);
  EXPECT_THAT(failure({"pull", at(registry.address(), "private/turbo"), "--home", "none"}),
              StartsWith("AUTH_REQUIRED: "));
  run_json(with_login({"pull", at(registry.address(), "private/turbo"), "--home", "third"}));
}

TEST_F(Registry, that_is_read_only_says_so) {
  import("pocket-turbo");
  {
    const DockerRegistry registry(data());
    run_json({"push", "pocket-turbo", at(registry.address(), "turbo")});
  }
  const DockerRegistry registry(data(), {"", true});
  EXPECT_EQ(run({"pull", at(registry.address(), "turbo"), "--home", "other"}).status, 0);
  EXPECT_THAT(failure({"push", "pocket-turbo", at(registry.address(), "other")}),
              testing::AllOf(StartsWith("SOURCE_REJECTED: "), HasSubstr("405")));
}

TEST_F(Registry, that_is_gone_is_unreachable) {
  DockerRegistry registry(data());
  import("pocket-turbo");
  registry.stop();
  EXPECT_THAT(failure({"push", "pocket-turbo", at(registry.address(), "turbo")}),
              StartsWith("SOURCE_UNREACHABLE: "));
  EXPECT_THAT(failure({"pull", at(registry.address(), "turbo")}), StartsWith("SOURCE_UNREACHABLE: "));
}

TEST_F(Registry, that_is_damaged_gives_no_model) {
  const DockerRegistry registry(data());
  import("pocket-turbo");
  run_json({"push", "pocket-turbo", at(registry.address(), "turbo")});
  const fs::path blob = registry.blob(file("pocket-turbo", kWeights).at("digest"));
  std::string bytes = content(blob);
  bytes.at(bytes.size() / 2) = static_cast<char>(bytes.at(bytes.size() / 2) ^ 1);
  std::ofstream(blob, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_THAT(failure({"pull", at(registry.address(), "turbo"), "--home", "other"}),
              testing::AllOf(StartsWith("INTEGRITY_MISMATCH: "), HasSubstr("vae/diffusion_pytorch_model")));
  EXPECT_TRUE(is_empty("other"));
}

TEST_F(Registry, gets_nothing_that_is_damaged_here) {
  const DockerRegistry registry(data());
  import("pocket-turbo");
  const std::string digest = file("pocket-turbo", kWeights).at("digest");
  const fs::path weights = root_ / "home/.local/share/roundhouse/blobs/sha256" / digest.substr(7);
  fs::permissions(weights, fs::perms::owner_write, fs::perm_options::add);
  std::string bytes = content(weights);
  bytes.at(100'000) = static_cast<char>(bytes.at(100'000) ^ 1);
  std::ofstream(weights, std::ios::binary | std::ios::trunc) << bytes;
  EXPECT_THAT(failure({"push", "pocket-turbo", at(registry.address(), "turbo")}),
              testing::AllOf(StartsWith("INTEGRITY_MISMATCH: "), HasSubstr("vae/diffusion_pytorch_model")));
  EXPECT_EQ(registry.requests("POST"), 0u);
}

TEST_F(Registry, is_named_in_full_and_with_the_model) {
  import("pocket-turbo");
  for (const char* target : {"ghcr.io/a/b", "oci://host", "oci://host/../b", "oci://host/B", "oci://h/a:b:c"})
    EXPECT_THAT(failure({"push", "pocket-turbo", target}), StartsWith("INVALID_ARGUMENT: reference"))
        << target;
  EXPECT_THAT(failure({"push", "absent", "oci://localhost:1/a"}), StartsWith("MODEL_NOT_FOUND: "));
  EXPECT_THAT(failure({"push", "pocket-turbo", "oci://localhost:1/a", "--chunk-size", "1KiB"}),
              HasSubstr("expected 64KiB to 1GiB"));
  EXPECT_THAT(failure({"push", "pocket-turbo", "oci://localhost:1/a", "--parallel", "17"}),
              HasSubstr("expected 1 to 16"));
  EXPECT_THAT(failure({"push", "pocket-turbo", "oci://user:secret@localhost:1/a"}), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace roundhouse::test
