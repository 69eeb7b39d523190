// SPDX-License-Identifier: Apache-2.0
// What a recipe wants of its sources, and what the user of a store has settled.
#include "host/store/model_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/store/small_file.h"
#include "host/store/store_settings.h"
#include "tests/host/store/temporary_directory.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

ModelSpec spec_of(const std::string& fields) {
  return parse_model_spec("schema: 1\nname: m\narchitecture: A\n" + fields, "m.yaml");
}

std::string problems_of(const std::string& fields) {
  std::string text;
  for (const Error& problem : model_spec_problems("schema: 1\nname: m\narchitecture: A\n" + fields, "m.yaml"))
    text += std::string(problem.what()) + "\n";
  return text;
}

TEST(ModelFetch, IsOneForEachRepository) {
  const auto fetches = fetches_of(
      spec_of("base: {hf_repo: o/turbo, revision: main}\ncomponents:\n  transformer: {files: ['*.json']}\n"
              "  vae: {base: {hf_repo: o/base}}\n  text_encoder: {base: {hf_repo: o/base}}\n"));
  ASSERT_EQ(fetches.size(), 2u);
  EXPECT_EQ(fetches[0].base.repository, "o/turbo");
  EXPECT_TRUE(fetches[0].wants("model_index.json"));
  EXPECT_TRUE(fetches[0].wants("LICENSE.md"));
  EXPECT_TRUE(fetches[0].wants("transformer/config.json"));
  EXPECT_FALSE(fetches[0].wants("transformer/model.safetensors"));
  EXPECT_FALSE(fetches[0].wants("vae/config.json"));
  EXPECT_EQ(fetches[1].base.repository, "o/base");
  EXPECT_TRUE(fetches[1].wants("vae/diffusion_pytorch_model-00001-of-00002.safetensors"));
  EXPECT_TRUE(fetches[1].wants("vae/diffusion_pytorch_model.safetensors.index.json"));
  EXPECT_TRUE(fetches[1].wants("text_encoder/config.json"));
  EXPECT_FALSE(fetches[1].wants("model_index.json"));
}

TEST(ModelFetch, ComponentsThatAreNotNamedComeFromTheModelsOwnRepository) {
  const auto fetches =
      fetches_of(spec_of("base: {hf_repo: o/turbo}\ncomponents:\n  transformer: {files: ['*.json']}\n"
                         "  vae: {base: {hf_repo: o/base}}\n"));
  ASSERT_EQ(fetches.size(), 2u);
  EXPECT_TRUE(fetches[0].wants("text_encoder/model.safetensors"));
  EXPECT_TRUE(fetches[0].wants("tokenizer/tokenizer.json"));
  EXPECT_TRUE(fetches[0].wants("scheduler/scheduler_config.json"));
  EXPECT_FALSE(fetches[0].wants("transformer/model.safetensors"));
  EXPECT_FALSE(fetches[0].wants("vae/config.json"));
  EXPECT_FALSE(fetches[0].wants("text_encoder/model.bin"));
  EXPECT_FALSE(fetches[0].wants("model.safetensors"));
  EXPECT_FALSE(fetches[1].wants("text_encoder/config.json"));
  EXPECT_FALSE(fetches_of(spec_of("base: {hf_repo: o/m}\nfiles: ['*.json']\ncomponents: {vae: {}}\n"))
                   .at(0)
                   .wants("text_encoder/config.json"))
      << "the files are named";
}

TEST(ModelFetch, TakesNothingThatWasNotAllowed) {
  const auto fetch = fetches_of(spec_of("base: {hf_repo: o/m}\n")).at(0);
  EXPECT_TRUE(fetch.whole);
  EXPECT_FALSE(fetches_of(spec_of("base: {hf_repo: o/m}\nfiles: ['*.json']\n")).at(0).whole);
  EXPECT_TRUE(fetch.wants("config.json"));
  EXPECT_TRUE(fetch.wants("tokenizer.model"));
  for (const char* path : {"pytorch_model.bin", "onnx/model.safetensors", ".gitattributes", ".x.json",
                           "../a.json", "a/../b.json", "model.py", ""})
    EXPECT_FALSE(fetch.wants(path)) << path;
  EXPECT_TRUE(fetches_of(spec_of("path: p\n")).empty());
}

TEST(ModelFetch, PatternsAndRepositoriesStayWithinTheirPlace) {
  EXPECT_THAT(problems_of("base: {hf_repo: o/m}\nfiles: ['../*']\n"),
              HasSubstr("m.yaml:5: files: '../*' leads out of the folder"));
  EXPECT_THAT(problems_of("base: {hf_repo: o/m}\ncomponents: {vae: {files: ['/etc/*']}}\n"),
              HasSubstr("m.yaml:5: components.vae.files: '/etc/*'"));
  EXPECT_THAT(problems_of("base: {hf_repo: o/m}\ncomponents: {../x: {}}\n"),
              HasSubstr("m.yaml:5: components.../x: is not a plain name"));
  for (const char* name : {"m", "o/m/x", "../m", "o/..", "https://h/o/m", "o/m@x", "o /m"})
    EXPECT_THAT(problems_of("base: {hf_repo: '" + std::string(name) + "'}\n"),
                HasSubstr("m.yaml:4: base.hf_repo: '" + std::string(name)));
  EXPECT_THAT(problems_of("base: {hf_repo: o/m, model: x}\n"), HasSubstr("expected one of them"));
  EXPECT_THAT(problems_of("path: p\naliases: [a/b/c]\n"), HasSubstr("m.yaml:5: aliases: 'a/b/c'"));
  EXPECT_THAT(problems_of("path: p\npath: q\n"), HasSubstr("m.yaml:5: path: comes twice"));
  EXPECT_THAT(problems_of("path: p\nlimits: {bytes: 3 apples}\n"),
              HasSubstr("limits.bytes: '3 apples' is not a size"));
  EXPECT_EQ(spec_of("path: p\nlimits: {bytes: 3GB}\n").maximum_bytes, 3'000'000'000u);
}

TEST(ModelFetch, AVersionNeedsPinnedRevisions) {
  const auto outcome = [](const std::string& fields, const std::string& name) -> std::string {
    try {
      require_pinned(spec_of(fields), ModelName::parse(name), "m.yaml");
      return "ok";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      return error.what();
    }
  };
  EXPECT_EQ(outcome("base: {hf_repo: o/m}\n", "m"), "ok");
  EXPECT_EQ(outcome("path: p\n", "m@1"), "ok");
  EXPECT_EQ(outcome("base: {hf_repo: o/m, revision: " + kCommit + "}\n", "m@1"), "ok");
  EXPECT_THAT(outcome("base: {hf_repo: o/m, revision: v1.0}\n", "m@1"), HasSubstr("'v1.0' of o/m may move"));
  EXPECT_THAT(outcome("base: {hf_repo: o/m, revision: " + kCommit.substr(1) + "}\n", "m@1"),
              HasSubstr("may move"));
  EXPECT_THAT(
      outcome("base: {hf_repo: o/m, revision: " + kCommit + "}\ncomponents: {vae: {base: {hf_repo: o/b}}}\n",
              "m@1"),
      HasSubstr("'' of o/b may move"));
}

TEST(JsonOfStrangers, HasEachKeyOnce) {
  const auto outcome = [](const std::string& text) -> std::string {
    try {
      parse_json_object(text, "f");
      return "ok";
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(outcome(R"({"a":{"b":1},"c":{"b":1},"d":[{"b":1},{"b":2}]})"), "ok");
  EXPECT_EQ(outcome(R"({"a":1,"a":2})"), "f: the key \"a\" comes twice");
  EXPECT_EQ(outcome(R"({"x":[{"a":{},"b":[],"a":2}]})"), "f: the key \"a\" comes twice");
}

TEST(StoreSettings, AreWhatTheFileSays) {
  const TemporaryDirectory directory;
  const auto outcome = [&](const std::string& text) -> std::string {
    directory.write("config.json", text);
    try {
      return read_store_settings(directory.path()).auto_pull ? "yes" : "no";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      return error.what();
    }
  };
  EXPECT_FALSE(read_store_settings(directory.path()).auto_pull);
  EXPECT_FALSE(read_store_settings({}).auto_pull);
  EXPECT_EQ(outcome(R"({"auto_pull": true, "port": 1})"), "yes");
  EXPECT_EQ(outcome("{}"), "no");
  EXPECT_THAT(outcome(R"({"auto_pull": "yes"})"), HasSubstr("config.json: auto_pull: is a JSON string"));
  EXPECT_THAT(outcome("{"), HasSubstr("config.json: not JSON at byte 2"));
}

}  // namespace
}  // namespace roundhouse::host
