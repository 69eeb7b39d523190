// SPDX-License-Identifier: Apache-2.0
// Use cases as a program that embeds them calls them: no flags, no terminal, no variables of this process.
#include "host/app/pull.h"

#include <fstream>
#include <map>

#include "host/app/hub_models.h"
#include "host/app/verify.h"
#include "tests/host/sources/fake_hub.h"
#include "tests/host/store/store_fixture.h"

namespace roundhouse::host {
namespace {

using test::FakeHub;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class AppTest : public StoreTest {
 protected:
  AppTest() {
    std::filesystem::remove_all(model() / "expected");
    hub_.add_directory(model());
    variables_["HF_ENDPOINT"] = hub_.endpoint();
    variables_["ROUNDHOUSE_MODEL_PATH"] = (directory_.path() / "recipes").string();
    write_recipe("base: {hf_repo: test/model, revision: main}\n");
  }

  void write_recipe(const std::string& fields) const {
    directory_.write("recipes/tiny.yaml",
                     "schema: 1\nname: tiny\narchitecture: ZImagePipeline\n"
                     "aliases: [org/mirror]\n" +
                         fields);
  }
  AppContext context() const {
    const Environment environment = [this](const std::string& name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::nullopt : std::optional(found->second);
    };
    const auto models = [=, this] {
      return ModelCatalogue(model_search(environment, "/nowhere", root().string()));
    };
    return {root(), models, environment, "1.2.3", cancelled_};
  }
  ImportReport take(const std::string& source, const std::string& name = "") const {
    PullRequest request;
    request.source = source;
    if (!name.empty()) request.name = ModelName::parse(name);
    return pull(context(), request);
  }
  std::string taken(const std::string& source, const std::string& name = "") const {
    return outcome([&] { take(source, name); });
  }

  FakeHub hub_;
  std::map<std::string, std::string> variables_;
  std::atomic<bool> cancelled_ = false;
};

TEST_F(AppTest, tells_sources_by_how_they_are_written) {
  EXPECT_EQ(source_kind(context(), "hf:org/name"), SourceKind::hub);
  EXPECT_EQ(source_kind(context(), "oci://registry/name"), SourceKind::registry);
  EXPECT_EQ(source_kind(context(), "tiny"), SourceKind::recipe);
  EXPECT_EQ(source_kind(context(), "org/mirror"), SourceKind::recipe);
  EXPECT_EQ(source_kind(context(), "file:///x"), SourceKind::local);
  EXPECT_EQ(source_kind(context(), model().string()), SourceKind::local);
  EXPECT_EQ(source_kind(context(), "nothing"), std::nullopt);
  EXPECT_THAT(taken("nothing"), StartsWith("INVALID_ARGUMENT: source 'nothing' is of no known kind"));
}

TEST_F(AppTest, a_recipe_without_components_means_those_of_its_architecture) {
  EXPECT_EQ(taken("tiny"), "ok");
  const StoredModel stored = get("tiny");
  const ModelConfig config = store().config(stored, store().manifest(stored));
  EXPECT_EQ(config.provenance.tool, "roundhouse 1.2.3");
  std::vector<Verified> seen;
  verify_store(
      context(), [](const std::string&) { return ProgressCallback(); },
      [&](const Verified& model) { seen.push_back(model); });
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].name, "tiny");
  EXPECT_THAT(seen[0].damages, IsEmpty());
}

TEST_F(AppTest, what_is_cancelled_leaves_no_name) {
  cancelled_ = true;
  EXPECT_THAT(taken("tiny"), StartsWith("CANCELLED"));
  EXPECT_THAT(store().list(), IsEmpty());
  cancelled_ = false;
  EXPECT_EQ(taken("tiny"), "ok");
}

TEST_F(AppTest, pulls_only_what_is_absent) {
  pull_if_absent(context(), "no recipe", {});
  EXPECT_THAT(hub_.requests(), IsEmpty());
  pull_if_absent(context(), "tiny", {});
  const std::size_t requests = hub_.requests().size();
  EXPECT_GT(requests, 0U);
  pull_if_absent(context(), "tiny", {});
  EXPECT_EQ(hub_.requests().size(), requests);
}

TEST_F(AppTest, a_version_takes_a_commit) {
  EXPECT_THAT(taken("hf:test/model", "rel@2"), HasSubstr("'main' may move"));
  EXPECT_THAT(hub_.requests(), IsEmpty());
  EXPECT_EQ(taken(std::string("hf:test/model@") + FakeHub::kCommit, "rel@2"), "ok");
}

TEST_F(AppTest, the_environment_may_name_the_revision) {
  variables_["HUGGINGFACE_REVISION"] = "nobranch";
  EXPECT_THAT(taken("hf:test/model", "a"), HasSubstr("no revision 'nobranch'"));
  EXPECT_EQ(taken("hf:test/model@main", "a"), "ok") << "what is written comes first";
  variables_["HUGGINGFACE_REVISION"] = FakeHub::kCommit;
  EXPECT_EQ(taken("hf:test/model", "rel@2"), "ok");
  variables_["HUGGINGFACE_REVISION"] = "../x";
  EXPECT_THAT(taken("hf:test/model", "b"), StartsWith("UNSAFE_NAME"));
}

TEST_F(AppTest, what_makes_no_model_is_refused_before_anything_is_fetched) {
  const auto refused = [&](const std::map<std::string, test::HubEntry>& files) {
    hub_.files = files;
    std::string said = taken("hf:test/model", "x");
    EXPECT_THAT(hub_.content_requests(), IsEmpty());
    EXPECT_EQ(hub_.bytes_served(), 0U);
    return said;
  };
  const test::HubEntry small{"# x", false}, large{"weights", true};
  EXPECT_THAT(refused({{"README.md", small}, {"z-Q4_K_M.gguf", large}, {"z-Q8_0.gguf", large}}),
              HasSubstr("z-Q4_K_M.gguf, z-Q8_0.gguf"));
  EXPECT_THAT(refused({{"split_files/vae/ae.safetensors", large}}),
              HasSubstr("split_files/vae/ae.safetensors"));
  EXPECT_THAT(refused({{"turbo_v1.safetensors", large}}), HasSubstr("turbo_v1.safetensors"));
  EXPECT_THAT(refused({{"adapter_config.json", small}, {"pytorch_lora_weights.safetensors", large}}),
              HasSubstr("is a LoRA"));
  EXPECT_THAT(refused({{"config.json", small}, {"model.ckpt", large}}), HasSubstr("pickles"));
  EXPECT_THAT(refused({{"config.json", small}}), StartsWith("WEIGHTS_MISSING"));
}

}  // namespace
}  // namespace roundhouse::host
