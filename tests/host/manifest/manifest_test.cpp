// SPDX-License-Identifier: Apache-2.0
// Manifests: what is refused, with which words, and what is read.
#include "host/manifest/manifest.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ManifestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "manifest_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  static json valid() {
    return json::parse(R"({"schema": 1, "id": "x", "name": "X", "version": "1.2.3", "abi": "1.0",
                           "library": "x.so", "capabilities": {"task": ["text-to-image"], "device": ["cpu"]}})");
  }

  fs::path write(const std::string& text) {
    const fs::path file = directory_ / "x.json";
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

  EngineManifest read(const json& manifest) { return read_manifest(write(manifest.dump())); }

  void expect_refused(const std::string& text, rh_status code, const std::string& part) {
    try {
      read_manifest(write(text));
      ADD_FAILURE() << "accepted: " << text.substr(0, 300);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part));
      EXPECT_THAT(error.what(), HasSubstr((directory_ / "x.json").string()));
      EXPECT_LT(std::string(error.what()).size(), 1000U);
    }
  }

  fs::path directory_;
};

struct Damage {
  const char* pointer;  // where the valid manifest is changed
  const char* value;    // to what; "" = removed
  const char* part;     // of the refusal
};

class ManifestRefusalTest : public ManifestTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(ManifestRefusalTest, NamesTheFieldAndTheExpectation) {
  json manifest = valid();
  const json::json_pointer pointer(GetParam().pointer);
  if (*GetParam().value == '\0') {
    manifest.erase(pointer.back());
  } else {
    manifest[pointer] = json::parse(GetParam().value);
  }
  expect_refused(manifest.dump(), RH_ENGINE_BROKEN, GetParam().part);
}

const Damage kDamages[] = {
    {"/schema", "", "schema: is missing"},
    {"/schema", "\"1\"", "schema: \"1\" is not an integer"},
    {"/schema", "1.5", "schema: 1.5 is not an integer"},
    {"/schema", "18446744073709551615", "is out of range"},
    {"/id", "", "id: is missing"},
    {"/id", "5", "id: 5 is a number, expected a string"},
    {"/id", "\"\"", "id: \"\" is empty"},
    {"/id", "\"Caps\"", "is not an id"},
    {"/id", "\"-x\"", "is not an id"},
    {"/id", "\"../x\"", "is not an id"},
    {"/id", R"("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg")", "is not an id"},
    {"/id", "\"auto\"", "automatic routing"},
    {"/name", "", "name: is missing"},
    {"/name", "\"\"", "name: \"\" is empty"},
    {"/name", R"("a\u001b[2J")", "control character"},
    {"/name", R"("a\u0000b")", "control character"},
    {"/name", R"("a\u009bb")", "control character"},
    {"/version", "", "version: is missing"},
    {"/version", "1", "version: 1 is a number"},
    {"/abi", "", "abi: is missing"},
    {"/abi", "1.0", "abi: 1.0 is a number"},
    {"/abi", "\"1\"", "is not an ABI version"},
    {"/abi", "\"1.0.0\"", "is not an ABI version"},
    {"/abi", "\"01.0\"", "is not an ABI version"},
    {"/abi", "\"99999.0\"", "is not an ABI version"},
    {"/abi", "\"1.\"", "is not an ABI version"},
    {"/library", "", "library: is missing"},
    {"/library", "\"\"", "is empty"},
    {"/library", "\"../x.so\"", "contains '..'"},
    {"/library", "\"a/../../x.so\"", "contains '..'"},
    {"/library", "\"/opt/../x.so\"", "contains '..'"},
    {"/library", "\"lib/\"", "names a directory"},
    {"/capabilities", "", "capabilities: is missing"},
    {"/capabilities", "[]", "capabilities: [] is an array, expected an object"},
    {"/capabilities/task", "\"text-to-image\"", "expected an array"},
    {"/capabilities", R"({"task": ["chat"]})", "capabilities.device: is missing"},
    {"/capabilities/task", "[]", "capabilities.task: [] is empty, expected at least one"},
    {"/capabilities/task/0", "7", "capabilities.task[0]: 7 is a number"},
    {"/capabilities/task/1", "\"text-to-image\"", "capabilities.task[1]: \"text-to-image\" is there twice"},
    {"/capabilities/Task", "[]", "not a lower case word"},
    {"/maturity", "\"ready\"", "is not a maturity"},
    {"/score", "1e3", "is not an integer"},
    {"/score", "2147483648", "is out of range"},
    {"/score", R"({"cpu": {"avx512": 1}})", "score.default: is missing"},
    {"/score", R"({"default": 1})", "score.cpu: is missing"},
    {"/score", R"({"default": 1, "cpu": {}})", "score.cpu: {} is empty, expected at least one"},
    {"/score", R"({"default": 1, "cpu": {"AVX": 2}})", "not a lower case word"},
    {"/score", R"({"default": 1, "cpu": {"avx2": 2.5}})", "score.cpu.avx2: 2.5 is not an integer"},
    {"/score", R"({"default": 1, "cpu": {"avx2": 2}, "gpu": {}})", "score.gpu: {} is not a known key"},
    {"/limits", R"({"width": {"min": 1}})", "limits.width.max: is missing"},
    {"/limits", R"({"width": {"min": 2, "max": 1}})", "limits.width.max: 1 is below min"},
    {"/limits", R"({"width": {"min": 1, "max": 2, "multiple": -1}})", "is negative"},
    {"/limits", R"({"width": {"min": 1, "max": 2, "step": 1}})", "limits.width.step: 1 is not a known key"},
    {"/limits", R"({"width": {"min": "1", "max": 2}})", "expected a number"},
    {"/environment", R"({"lower": {"value": "1"}})", "is not a variable"},
    {"/environment", R"({"A=B": {"value": "1"}})", "is not a variable"},
    {"/environment", R"({"LD_PRELOAD": {"value": "/x.so"}})", "environment.LD_PRELOAD"},
    {"/environment", R"({"LD_LIBRARY_PATH": {"value": "/x"}})", "may not be set"},
    {"/environment", R"({"PATH": {"value": "/x"}})", "may not be set"},
    {"/environment", R"({"HOME": {"value": "/x"}})", "may not be set"},
    {"/environment", R"({"A": {"value": "1", "computed": "openblas-coretype"}})", "exactly one"},
    {"/environment", R"({"A": {}})", "exactly one"},
    {"/environment", R"({"A": {"computed": "rm"}})", "is not a known computation"},
    {"/network", "1", "expected true or false"},
    {"/colour", "1", "colour: 1 is not a known key"},
};
INSTANTIATE_TEST_SUITE_P(Fields, ManifestRefusalTest, ::testing::ValuesIn(kDamages));

TEST_F(ManifestTest, AnotherSchemaIsIncompatibleNotBroken) {
  json manifest = valid();
  manifest["schema"] = 2;
  manifest["whatever"] = "a later schema may hold";
  expect_refused(manifest.dump(), RH_ENGINE_INCOMPATIBLE, "schema: 2 is not known, this host reads 1");
}

TEST_F(ManifestTest, RefusesWhatIsNotJson) {
  expect_refused("", RH_ENGINE_BROKEN, "parse error");
  expect_refused("{\"schema\": 1,", RH_ENGINE_BROKEN, "parse error");
  expect_refused("{\"schema\": 1} trailing", RH_ENGINE_BROKEN, "parse error");
  expect_refused("{\"id\": \"\xff\"}", RH_ENGINE_BROKEN, "invalid string");
  expect_refused("[]", RH_ENGINE_BROKEN, "expected an object");
  expect_refused("null", RH_ENGINE_BROKEN, "expected an object");
}

TEST_F(ManifestTest, RefusesAKeyThatIsThereTwice) {
  expect_refused(R"({"schema": 1, "id": "a", "id": "b"})", RH_ENGINE_BROKEN, "the key \"id\" is there twice");
}

TEST_F(ManifestTest, RefusesDeepNestingWithoutFollowingIt) {
  expect_refused(std::string(500'000, '['), RH_ENGINE_BROKEN, "nested deeper than 8");
}

TEST_F(ManifestTest, RefusesAFileLargerThanOneMebibyte) {
  expect_refused(std::string((1U << 20) + 1, ' '), RH_ENGINE_BROKEN, "larger than 1048576 bytes");
}

TEST_F(ManifestTest, ShortensAHugeKeyInTheRefusal) {
  json manifest = valid();
  manifest[std::string(100'000, 'k')] = 1;
  expect_refused(manifest.dump(), RH_ENGINE_BROKEN, "is not a known key");
}

TEST_F(ManifestTest, AMissingFileAndADirectoryAreIoErrors) {
  for (const auto& path : {directory_ / "absent.json", directory_}) {
    try {
      read_manifest(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_IO_ERROR) << error.what();
    }
  }
}

TEST_F(ManifestTest, DoesNotWaitForAPipe) {
  const fs::path pipe = directory_ / "pipe.json";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  try {
    read_manifest(pipe);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_IO_ERROR);
    EXPECT_THAT(error.what(), HasSubstr("not a regular file"));
  }
}

TEST_F(ManifestTest, ReadsTheRequiredFieldsAndFillsInTheRest) {
  const EngineManifest manifest = read(valid());
  EXPECT_EQ(manifest.file, directory_ / "x.json");
  EXPECT_EQ(manifest.library, directory_ / "x.so");
  EXPECT_EQ(manifest.id, "x");
  EXPECT_EQ(manifest.abi_major, 1U);
  EXPECT_EQ(manifest.abi_minor, 0U);
  EXPECT_EQ(manifest.maturity, "stable");
  EXPECT_EQ(manifest.score, 0);
  EXPECT_FALSE(manifest.network);
  EXPECT_TRUE(has_capability(manifest.capabilities, "task", "text-to-image"));
  EXPECT_FALSE(has_capability(manifest.capabilities, "task", "chat"));
  EXPECT_FALSE(has_capability(manifest.capabilities, "dtype", "f32"));
}

TEST_F(ManifestTest, TakesTheHighestScoreThatHoldsOnTheProcessor) {
  json manifest = valid();
  manifest["score"] = {{"default", 90}, {"cpu", {{"avx512", 100}, {"avx512_bf16", 120}, {"avx9000", 500}}}};
  const fs::path file = write(manifest.dump());
  CpuFeatures features;
  EXPECT_EQ(read_manifest(file, features).score, 90);
  features.avx2_fma = true;
  EXPECT_EQ(read_manifest(file, features).score, 90);
  features.avx512 = true;
  EXPECT_EQ(read_manifest(file, features).score, 100);
  features.avx512_bf16 = true;
  EXPECT_EQ(read_manifest(file, features).score, 120);
}

TEST_F(ManifestTest, AFeatureThatMakesAnEngineSlowerDoesNotCount) {
  json manifest = valid();
  manifest["score"] = {{"default", 5}, {"cpu", {{"avx2", -7}}}};
  CpuFeatures features;
  features.avx2_fma = true;
  EXPECT_EQ(read_manifest(write(manifest.dump()), features).score, 5);
}

TEST_F(ManifestTest, ReadsEveryField) {
  const EngineManifest manifest = read(json::parse(R"({
      "schema": 1, "id": "open.blas-2_x", "name": "Müller", "version": "0.1", "vendor": "V",
      "description": "D", "abi": "3.12", "library": "/opt/x.so", "maturity": "teaching", "score": -5,
      "capabilities": {"task": ["a", "b"], "dtype": [], "device": ["cpu"]},
      "limits": {"width": {"min": 16, "max": 2048, "multiple": 16}, "guidance": {"min": 0, "max": 20.5}},
      "environment": {"OPENBLAS_CORETYPE": {"computed": "openblas-coretype"}, "N": {"value": ""}},
      "network": true, "x-note": {"anything": 1}})"));
  EXPECT_EQ(manifest.library, "/opt/x.so");
  EXPECT_EQ(manifest.abi_major, 3U);
  EXPECT_EQ(manifest.abi_minor, 12U);
  EXPECT_EQ(manifest.maturity, "teaching");
  EXPECT_EQ(manifest.score, -5);
  EXPECT_THAT(manifest.capabilities.at("task"), ElementsAre("a", "b"));
  EXPECT_EQ(manifest.limits.at("width").multiple_of, 16);
  EXPECT_EQ(manifest.limits.at("guidance").maximum, 20.5);
  ASSERT_EQ(manifest.environment.size(), 2U);
  EXPECT_EQ(manifest.environment[0].name, "N");
  EXPECT_EQ(manifest.environment[1].computed, "openblas-coretype");
  EXPECT_TRUE(manifest.network);
}

}  // namespace
}  // namespace roundhouse::host
