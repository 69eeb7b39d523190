// SPDX-License-Identifier: Apache-2.0
// Models by the name of a recipe: fetched when that is asked for, and never otherwise.
#include <fstream>
#include <set>

#include "tests/cli/program.h"
#include "tests/host/sources/fake_hub.h"
#include "tests/host/store/gguf_bytes.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class PullRecipe : public Program {
 protected:
  PullRecipe() {
    hub_.add_directory(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny");
    hub_.files["transformer/model.onnx"] = {"not wanted", false};
    hub_.files["train.py"] = {"not wanted", false};
    write_recipe("");
  }

  // The recipe "tiny" with more fields; the decoder is of another revision.
  void write_recipe(const std::string& fields) const {
    fs::create_directories(root_ / "recipes");
    std::ofstream(root_ / "recipes/tiny.yaml")
        << "schema: 1\nname: tiny\nlicense: MIT\narchitecture: ZImagePipeline\naliases: [org/tiny-mirror]\n"
           "base: {hf_repo: test/model, revision: main}\n"
           "components:\n  scheduler: {}\n  tokenizer: {}\n  text_encoder: {}\n  transformer: {}\n"
        << "  vae: {base: {hf_repo: test/model, revision: " << FakeHub::kCommit << "}}\n"
        << "defaults: {steps: 1, width: 32, height: 32}\n"
        << fields;
  }
  Outcome call(const Arguments& arguments) const {
    Arguments all = {"/usr/bin/env", "HF_ENDPOINT=" + hub_.endpoint(),
                     "ROUNDHOUSE_MODEL_PATH=" + (root_ / "recipes").string(), program()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.emplace_back("--json");
    return launch(all, "").wait();
  }
  nlohmann::json result(const Arguments& arguments) const {
    const Outcome outcome = call(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.out;
    return outcome.json();
  }
  nlohmann::json error(const Arguments& arguments) const { return call(arguments).json().at("error"); }

  fs::path store() const { return root_ / "home/.local/share/roundhouse"; }
  const Arguments kImage = {"generate", "a cat", "--model", "tiny", "--engine", "reference", "--seed", "1"};

  FakeHub hub_;
};

TEST_F(PullRecipe, brings_what_the_recipe_wants) {
  EXPECT_EQ(result({"pull", "tiny"}).at("name"), "tiny");
  const nlohmann::json shown = result({"show", "tiny"});
  EXPECT_EQ(shown.at("license"), "MIT");
  EXPECT_EQ(shown.at("defaults").at("steps"), 1);
  EXPECT_EQ(shown.at("provenance").at("repository"), "test/model");
  EXPECT_EQ(shown.at("provenance").at("revision"), FakeHub::kCommit);
  std::set<std::string> paths;
  for (const auto& file : shown.at("files"))
    paths.insert(file.at("path"));
  EXPECT_TRUE(paths.contains("vae/config.json"));
  EXPECT_TRUE(paths.contains("text_encoder/model.safetensors.index.json"));
  for (const char* path : {"transformer/model.onnx", "train.py", "case.json", "expected/dit.safetensors"})
    EXPECT_FALSE(paths.contains(path)) << path;
  EXPECT_EQ(result(kImage).at("model"), "tiny");
  EXPECT_EQ(result({"pull", "org/tiny-mirror", "--name", "again"}).at("bytes_fetched"), 0);
}

TEST_F(PullRecipe, nothing_is_fetched_unless_asked) {
  const nlohmann::json absent = error(kImage);
  EXPECT_EQ(absent.at("code"), "MODEL_NOT_FOUND");
  EXPECT_EQ(absent.at("hint"), "roundhouse pull tiny");
  EXPECT_EQ(error({"show", "tiny"}).at("hint"), "roundhouse pull tiny");
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

TEST_F(PullRecipe, generate_fetches_first_when_told) {
  Arguments arguments = kImage;
  arguments.emplace_back("--pull");
  EXPECT_EQ(result(arguments).at("model"), "tiny");
  const std::size_t requests = hub_.requests().size();
  EXPECT_GT(requests, 0U);
  EXPECT_EQ(result(arguments).at("model"), "tiny");
  EXPECT_EQ(hub_.requests().size(), requests) << "it is here already";
}

TEST_F(PullRecipe, the_store_may_be_told_once_and_for_all) {
  fs::create_directories(store());
  std::ofstream(store() / "config.json") << R"({"auto_pull": "yes"})";
  EXPECT_EQ(error(kImage).at("code"), "INVALID_ARGUMENT");
  std::ofstream(store() / "config.json") << R"({"auto_pull": true})";
  EXPECT_EQ(result(kImage).at("model"), "tiny");
}

TEST_F(PullRecipe, a_version_needs_pinned_revisions) {
  const nlohmann::json refused = error({"pull", "tiny", "--name", "tiny@1.0"});
  EXPECT_EQ(refused.at("code"), "INVALID_ARGUMENT");
  EXPECT_THAT(refused.at("message").get<std::string>(), HasSubstr("'main' of test/model may move"));
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

TEST_F(PullRecipe, a_source_may_not_send_more_than_the_recipe_allows) {
  write_recipe("limits: {bytes: 1000}\n");
  EXPECT_EQ(error({"pull", "tiny"}).at("code"), "SOURCE_REJECTED");
  EXPECT_THAT(listing(store() / "blobs/sha256"), IsEmpty());
}

TEST_F(PullRecipe, a_component_without_its_configuration_is_no_model) {
  hub_.files.erase("vae/config.json");
  const nlohmann::json refused = error({"pull", "tiny"});
  EXPECT_EQ(refused.at("code"), "WEIGHTS_MISSING");
  EXPECT_THAT(refused.at("message").get<std::string>(), HasSubstr("vae/config.json"));
  EXPECT_EQ(result({"list"}).at("models").dump().find("\"tiny\""), std::string::npos);
}

TEST_F(PullRecipe, create_fetches_what_the_recipe_has_no_path_for) {
  EXPECT_EQ(result({"create", "-f", (root_ / "recipes/tiny.yaml").string(), "--name", "made"}).at("name"),
            "made");
  EXPECT_EQ(result({"show", "made"}).at("license"), "MIT");
}

TEST_F(PullRecipe, a_gguf_of_this_machine_is_imported) {
  std::ofstream(work() / "chat.gguf", std::ios::binary)
      << small_text_gguf("starcoder2").bytes(small_text_gguf_data());
  EXPECT_EQ(result({"pull", "chat.gguf"}).at("name"), "chat");
  EXPECT_EQ(result({"pull", "file://" + (work() / "chat.gguf").string(), "--name", "b"}).at("name"), "b");
  EXPECT_EQ(result({"show", "b"}).at("weight_format"), "gguf");
}

TEST_F(PullRecipe, pin_writes_the_commit_of_a_pull_into_the_recipe) {
  EXPECT_EQ(error({"pin", "tiny"}).at("code"), "MODEL_NOT_FOUND");
  ASSERT_EQ(call({"pull", "tiny"}).status, 0);
  EXPECT_EQ(error({"pull", "tiny", "--name", "tiny@1"}).at("code"), "INVALID_ARGUMENT");
  const nlohmann::json pinned = result({"pin", "tiny"});
  EXPECT_EQ(pinned.at("file"), (root_ / "recipes/tiny.yaml").string());
  EXPECT_EQ(pinned.at("sources"), nlohmann::json({{"test/model", FakeHub::kCommit}}));
  EXPECT_THAT(
      content(root_ / "recipes/tiny.yaml"),
      HasSubstr("base: {hf_repo: test/model, revision: " + std::string(FakeHub::kCommit) + "}\ncomp"));
  EXPECT_EQ(result({"pull", "tiny", "--name", "tiny@1"}).at("name"), "tiny@1");
}

TEST_F(PullRecipe, pin_makes_a_recipe_for_a_repository_without_one) {
  fs::remove(root_ / "recipes/tiny.yaml");
  ASSERT_EQ(call({"pull", "hf:test/model", "--name", "own"}).status, 0);
  EXPECT_EQ(result({"pin", "own"}).at("file"), (store() / "models/own.yaml").string());
  EXPECT_EQ(result({"pull", "own", "--name", "own@1"}).at("bytes_fetched"), 0);
  ASSERT_EQ(
      call({"import", (fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny").string(), "--name", "here"}).status, 0);
  EXPECT_EQ(error({"pin", "here"}).at("code"), "INVALID_ARGUMENT");
}

}  // namespace
}  // namespace roundhouse::test
