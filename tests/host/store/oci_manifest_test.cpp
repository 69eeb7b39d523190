// SPDX-License-Identifier: Apache-2.0
// Manifests that other programs, or people with bad intentions, may have written.
#include "host/store/oci_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/store/oci_index.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

json layer(const std::string& title, const std::string& content = "x") {
  return {{"mediaType", "application/octet-stream"},
          {"digest", sha256(content).text()},
          {"size", content.size()},
          {"annotations", {{kTitleAnnotation, title}}}};
}

json good() {
  json manifest = {{"schemaVersion", 2}, {"mediaType", kManifestType}};
  manifest["config"] = {{"mediaType", kModelConfigType}, {"digest", sha256("{}").text()}, {"size", 2}};
  manifest["layers"] = json::array({layer("vae/config.json"), layer("model_index.json", "yy")});
  return manifest;
}

std::string outcome_of_manifest(const std::string& text) {
  try {
    parse_model_manifest(text);
    return "ok";
  } catch (const Error& error) {
    return std::string(status_name(error.code())) + ": " + error.what();
  }
}

std::string with(const std::string& pointer, const json& value) {
  json manifest = good();
  manifest[json::json_pointer(pointer)] = value;
  return outcome_of_manifest(manifest.dump());
}

TEST(Manifest, ReadsItsFilesInOrder) {
  const ModelManifest manifest = parse_model_manifest(good().dump());
  ASSERT_EQ(manifest.files.size(), 2u);
  EXPECT_EQ(manifest.files[0].path, "model_index.json");
  EXPECT_EQ(manifest.bytes, 3u);
  EXPECT_EQ(manifest.digest, sha256(good().dump()));
}

TEST(Manifest, RefusesPathsThatLeadElsewhere) {
  for (const std::string path : {"../../etc/passwd", "/etc/passwd", "a/../b", "..", ".", "", "a//b", "a/",
                                 "./a", "a\\b", "a\nb", "a\x7f"}) {
    EXPECT_THAT(with("/layers/0", layer(path)), StartsWith("UNSAFE_NAME")) << path;
  }
  EXPECT_THAT(with("/layers/0", layer(std::string("a\0b", 3))), StartsWith("UNSAFE_NAME"));
  EXPECT_THAT(with("/layers/0", layer(std::string(300, 'a'))), StartsWith("UNSAFE_NAME"));
}

TEST(Manifest, RefusesTwoFilesInOnePlace) {
  EXPECT_THAT(with("/layers/0", layer("model_index.json")), HasSubstr("two layers"));
  EXPECT_THAT(with("/layers/0", layer("model_index.json/a")), HasSubstr("a file and a directory"));
}

TEST(Manifest, RefusesDigestsThatAreNone) {
  for (const json& digest : {json("sha256:" + std::string(64, 'g')), json("sha256:" + std::string(63, 'a')),
                             json("sha256:" + std::string(64, 'A')), json("sha512:" + std::string(64, 'a')),
                             json("sha256:../../../etc/passwd"), json(7), json(nullptr)}) {
    EXPECT_THAT(with("/layers/0/digest", digest), HasSubstr("layers[0].digest")) << digest;
  }
}

TEST(Manifest, RefusesSizesThatCannotBe) {
  for (const char* size :
       {"-1", "1.5", "9223372036854775808", "18446744073709551616", "1e999", "\"1\"", "null"}) {
    std::string text = good().dump();
    const auto at = text.find("\"size\":1");
    ASSERT_NE(at, std::string::npos);
    text.replace(at + 7, 1, size);
    EXPECT_THAT(outcome_of_manifest(text), StartsWith("MODEL_INVALID")) << size;
  }
  EXPECT_THAT(with("/layers/1", json{{"mediaType", "x"},
                                     {"digest", sha256("x").text()},
                                     {"size", 5},
                                     {"annotations", {{kTitleAnnotation, "b"}}}}),
              HasSubstr("contradicts"));
}

TEST(Manifest, RefusesEveryTruncationAndDepth) {
  const std::string text = good().dump();
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THAT(outcome_of_manifest(text.substr(0, size)), StartsWith("MODEL_INVALID")) << size;
  EXPECT_THAT(outcome_of_manifest("{\"a\":" + std::string(100000, '[')), HasSubstr("nested deeper"));
}

TEST(Manifest, OfSomethingElseIsNoModel) {
  EXPECT_THAT(with("/config/mediaType", "application/vnd.oci.image.config.v1+json"),
              HasSubstr("not a model"));
  EXPECT_THAT(with("/layers", json::array()), HasSubstr("manifest.layers"));
  EXPECT_THAT(with("/layers/0/annotations", json::object()), HasSubstr("org.opencontainers.image.title"));
  EXPECT_THAT(with("/schemaVersion", 1), HasSubstr("expected 2"));
}

TEST(Index, KeepsWhatOtherToolsWrote) {
  const std::string text = R"({"schemaVersion":2,"x-theirs":1,"manifests":[{"mediaType":"m","digest":")" +
                           sha256("a").text() + R"(","size":1,"platform":{"os":"linux"}}]})";
  OciIndex index = OciIndex::parse(text, "index");
  index.set("mine", {kManifestType, sha256("b"), 1, {}});
  const json again = json::parse(index.text());
  EXPECT_EQ(again.at("x-theirs"), 1);
  EXPECT_EQ(again.at("manifests")[0].at("platform").at("os"), "linux");
  EXPECT_EQ(again.at("manifests")[1].at("annotations").at(kNameAnnotation), "mine");
  EXPECT_TRUE(index.remove("mine"));
  EXPECT_EQ(json::parse(index.text()), json::parse(text));
}

}  // namespace
}  // namespace roundhouse::host
