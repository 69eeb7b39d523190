// SPDX-License-Identifier: Apache-2.0
// Pulls from registries that are honest, careless or hostile.
#include "host/sources/registry_pull.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/host/sources/fake_registry.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;
using test::HttpServer;
using test::ServerReply;
using test::ServerRequest;
using testing::HasSubstr;
using testing::StartsWith;

// The manifest and the blobs of a model of the store, as a registry would give them.
class RegistryPullTest : public StoreTest {
 protected:
  RegistryPullTest() {
    import("m");
    const ModelManifest manifest = store().manifest(get("m"));
    text_ = read(manifest.digest);
    blobs_.emplace(manifest.config.digest.text(), read(manifest.config.digest));
    for (const ModelFile& file : manifest.files)
      blobs_.emplace(file.digest.text(), read(file.digest));
  }
  std::string read(const Digest& digest) const {
    std::ifstream stream(paths().blob(digest), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  ServerReply answer(const ServerRequest& request) {
    const std::string path = request.path(), last = path.substr(path.rfind('/') + 1);
    if (path == "/v2/") return {};
    if (path.find("/manifests/") != std::string::npos) {
      const bool other = others_.contains(last);
      return {200, {{"Content-Type", type_}}, other ? others_.at(last) : text_};
    }
    const auto blob = blobs_.find(last);
    if (blob == blobs_.end()) return test::refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return edit_ ? edit_(request, {200, {}, blob->second}) : ServerReply{200, {}, blob->second};
  }

  std::string pull(const std::string& reference = "/team/tiny") {
    return outcome([&] {
      RegistryAccess access;
      access.http.allow_plain_http = true;
      const auto link =
          open_registry(RegistryReference::parse("oci://" + server_.address() + reference), access);
      report_ = pull_model(other(), ModelName::parse("n"), link, {});
    });
  }
  std::filesystem::path other() const { return directory_.path() / "other"; }
  // Nothing has a name, and gc leaves nothing.
  bool left_nothing() const {
    Store target(other());
    if (!target.list().empty()) return false;
    target.clean();  // what was fetched waits for another try until then
    target.collect(false);
    return names_in(StorePaths{other()}.blobs()).empty() && names_in(StorePaths{other()}.sessions()).empty();
  }
  std::size_t blob_requests() const {
    std::size_t count = 0;
    for (const ServerRequest& request : server_.requests())
      count += request.path().find("/blobs/") != std::string::npos ? 1 : 0;
    return count;
  }
  // The manifest with that change.
  void change_manifest(const std::function<void(json&)>& change) {
    json manifest = json::parse(text_);
    change(manifest);
    text_ = manifest.dump();
  }

  std::string text_, type_ = kManifestType;
  std::map<std::string, std::string> blobs_, others_;
  std::function<ServerReply(const ServerRequest&, ServerReply)> edit_;
  ImportReport report_;
  HttpServer server_{[this](const ServerRequest& request) { return answer(request); }};
};

TEST_F(RegistryPullTest, GivesTheModelItsName) {
  EXPECT_EQ(pull(), "ok");
  EXPECT_EQ(report_.model.digest, get("m").digest);
  EXPECT_EQ(report_.bytes_fetched, report_.bytes + store().manifest(get("m")).config.size);
  EXPECT_TRUE(Store(other()).verify(Store(other()).get(ModelName::parse("n")), {}).empty());
  const std::size_t before = blob_requests();
  EXPECT_EQ(pull("/team/tiny@" + get("m").digest.text()), "ok");
  EXPECT_EQ(report_.bytes_fetched, 0u);
  EXPECT_EQ(blob_requests(), before);
}

TEST_F(RegistryPullTest, GoesOnAfterCutsWhereTheRegistryKnowsRanges) {
  edit_ = [this](const ServerRequest& request, ServerReply reply) {
    const std::string range = request.get("range");
    if (range.empty()) {
      reply.withheld = reply.body.size() / 2;
      return reply;
    }
    const std::size_t begin = std::stoul(range.substr(6));
    const std::string all = "/" + std::to_string(reply.body.size());
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(begin) + "-" +
                                                    std::to_string(reply.body.size() - 1) + all);
    reply.status = 206;
    reply.body.erase(0, begin);
    return reply;
  };
  EXPECT_EQ(pull(), "ok");
  EXPECT_EQ(report_.bytes_fetched, report_.bytes + store().manifest(get("m")).config.size) << "none twice";
}

TEST_F(RegistryPullTest, BeginsAnewWhereTheRegistryKnowsNoRanges) {
  std::set<std::string> cut;
  edit_ = [&](const ServerRequest& request, ServerReply reply) {
    if (cut.insert(request.path()).second) reply.withheld = reply.body.size() / 2;
    return reply;
  };
  EXPECT_EQ(pull(), "ok");
}

TEST_F(RegistryPullTest, LeavesARegistryThatCutsForEver) {
  edit_ = [](const ServerRequest&, ServerReply reply) {
    reply.withheld = reply.body.size();
    return reply;
  };
  EXPECT_THAT(pull(), StartsWith("SOURCE_UNREACHABLE: "));
  EXPECT_TRUE(left_nothing());
}

TEST_F(RegistryPullTest, TakesTheOnlyModelOfAnIndex) {
  const json entry = {{"mediaType", kManifestType}, {"digest", sha256(text_).text()}, {"size", text_.size()}};
  json model = entry, image = entry;
  model["artifactType"] = kArtifactType;
  image["digest"] = "sha256:" + std::string(64, '1');
  image["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  others_[sha256(text_).text()] = text_;
  const auto index = [&](const json& entries) {
    text_ = json({{"schemaVersion", 2}, {"mediaType", kIndexType}, {"manifests", entries}}).dump();
  };
  index(json::array({image, model}));
  EXPECT_EQ(pull(), "ok");
  index(json::array({image, entry}));
  EXPECT_EQ(pull(), "ok");
  index(json::array({image}));
  EXPECT_THAT(pull(), HasSubstr("CAPABILITY_UNSUPPORTED: reference 'oci://"));
  json second = model;
  second["digest"] = image["digest"];
  index(json::array({model, second}));
  EXPECT_THAT(pull(), HasSubstr("INVALID_ARGUMENT: reference 'oci://"));
  json strange = entry, nested = entry;
  strange["digest"] = "sha256:../../x";
  index(json::array({strange}));
  EXPECT_THAT(pull(), StartsWith("MODEL_INVALID: "));
  // An index within an index is none.
  nested["mediaType"] = kIndexType;
  index(json::array({nested}));
  EXPECT_THAT(pull(), StartsWith("CAPABILITY_UNSUPPORTED: "));
}

TEST_F(RegistryPullTest, RefusesOtherThings) {
  const std::string model = text_;
  change_manifest(
      [](json& manifest) { manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"; });
  EXPECT_THAT(pull(), HasSubstr("is a container image"));
  text_ = model;
  change_manifest(
      [](json& manifest) { manifest["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"; });
  change_manifest([](json& manifest) { manifest.erase("artifactType"); });
  EXPECT_THAT(pull(), HasSubstr("is a container image"));
  change_manifest(
      [](json& manifest) { manifest["artifactType"] = "application/vnd.cncf.helm.config.v1+json"; });
  EXPECT_THAT(pull(), HasSubstr("CAPABILITY_UNSUPPORTED: reference"));
  EXPECT_THAT(pull(), HasSubstr("helm.config"));
  text_ = R"({"mediaType": "text/html"})";
  EXPECT_THAT(pull(), StartsWith("MODEL_INVALID: ")) << "no manifest";
  text_ = "<html>";
  EXPECT_THAT(pull(), StartsWith("MODEL_INVALID: "));
  EXPECT_EQ(blob_requests(), 0u);
}

TEST_F(RegistryPullTest, RefusesHostileManifestsBeforeAnythingTravels) {
  const std::string model = text_;
  const auto layer = [](json& manifest) -> json& { return manifest["layers"][0]; };
  const std::pair<const char*, std::function<void(json&)>> cases[] = {
      {"UNSAFE_NAME", [&](json& m) { layer(m)["annotations"][kTitleAnnotation] = "../../etc/passwd"; }},
      {"UNSAFE_NAME", [&](json& m) { layer(m)["annotations"][kTitleAnnotation] = "/etc/passwd"; }},
      {"UNSAFE_NAME", [&](json& m) { m["layers"].push_back(layer(m)); }},
      {"MODEL_INVALID", [&](json& m) { layer(m)["size"] = std::uint64_t{1} << 63; }},
      {"MODEL_INVALID", [&](json& m) { layer(m)["size"] = -1; }},
      {"MODEL_INVALID", [&](json& m) { layer(m)["size"] = 1.5; }},
      {"MODEL_INVALID", [&](json& m) { layer(m)["digest"] = "md5:0"; }},
      {"MODEL_INVALID", [&](json& m) { m["layers"] = json::array(); }},
      {"MODEL_INVALID", [&](json& m) { m["layers"] = json(std::vector<int>(1'000'000)); }},
      {"MODEL_INVALID", [&](json& m) { m["schemaVersion"] = 1; }},
      {"MODEL_INVALID", [&](json& m) { m["config"]["size"] = std::uint64_t{1} << 40; }},
      {"MODEL_INVALID", [&](json& m) { m.erase("config"); }},
      {"INSUFFICIENT_STORAGE", [&](json& m) { layer(m)["size"] = std::uint64_t{1} << 50; }},
      {"SOURCE_REJECTED", [&](json& m) { m["x"] = std::string(kMaximumManifestBytes, 'x'); }}};
  for (const auto& [code, change] : cases) {
    text_ = model;
    change_manifest(change);
    EXPECT_THAT(pull(), StartsWith(std::string(code) + ": ")) << text_.substr(0, 2000);
  }
  text_ = std::string(100'000, '[');
  EXPECT_THAT(pull(), StartsWith("MODEL_INVALID: "));
  EXPECT_EQ(blob_requests(), 0u);
  EXPECT_TRUE(left_nothing());
}

TEST_F(RegistryPullTest, RefusesAManifestOfAnotherDigest) {
  EXPECT_THAT(pull("/team/tiny@sha256:" + std::string(64, '0')), StartsWith("INTEGRITY_MISMATCH: registry"));
}

TEST_F(RegistryPullTest, RefusesBlobsThatAreNotWhatTheManifestSays) {
  const auto expect = [&](const char* code) {
    EXPECT_THAT(pull(), StartsWith(std::string(code) + ": "));
    EXPECT_TRUE(left_nothing());
  };
  edit_ = [](const ServerRequest&, ServerReply reply) {
    reply.body[reply.body.size() / 2] ^= 1;
    return reply;
  };
  expect("INTEGRITY_MISMATCH");
  edit_ = [](const ServerRequest&, ServerReply reply) {
    reply.body.pop_back();
    return reply;
  };
  expect("INTEGRITY_MISMATCH");
  edit_ = [](const ServerRequest&, ServerReply reply) {
    reply.body += std::string(1 << 20, 'x');
    return reply;
  };
  expect("SOURCE_REJECTED");
  edit_ = [](const ServerRequest&, const ServerReply&) { return test::refusal(404, "BLOB_UNKNOWN", "gone"); };
  expect("MODEL_NOT_FOUND");
  edit_ = [](const ServerRequest&, const ServerReply&) { return test::refusal(403, "DENIED", "no"); };
  expect("AUTH_REQUIRED");
}

TEST_F(RegistryPullTest, RefusesFilesThatAreNoModel) {
  change_manifest([](json& manifest) {
    auto& layers = manifest["layers"];
    for (auto it = layers.begin(); it != layers.end();) {
      const std::string path = (*it)["annotations"][kTitleAnnotation];
      it = path == "vae/config.json" ? layers.erase(it) : it + 1;
    }
  });
  EXPECT_THAT(pull(), StartsWith("WEIGHTS_MISSING: "));
  EXPECT_TRUE(left_nothing());
}

TEST_F(RegistryPullTest, KeepsANameWithAVersion) {
  ASSERT_EQ(pull(), "ok");
  Store(other()).alias(ModelName::parse("n"), ModelName::parse("n@1"));
  change_manifest([](json& manifest) { manifest["annotations"]["x"] = "y"; });
  const std::size_t before = blob_requests();
  EXPECT_THAT(outcome([&] {
                RegistryAccess access;
                access.http.allow_plain_http = true;
                pull_model(
                    other(), ModelName::parse("n@1"),
                    open_registry(RegistryReference::parse("oci://" + server_.address() + "/a"), access), {});
              }),
              StartsWith("INVALID_ARGUMENT: model 'n@1' exists"));
  EXPECT_EQ(blob_requests(), before);
}

}  // namespace
}  // namespace roundhouse::host
