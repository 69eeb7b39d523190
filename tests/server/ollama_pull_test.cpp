// SPDX-License-Identifier: Apache-2.0
// POST /api/pull from a hub, by the name of a recipe and of a repository.
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/store/digest.h"
#include "host/store/store.h"
#include "tests/host/sources/fake_hub.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OllamaPull : public DaemonTest {
 protected:
  OllamaPull() {
    hub_.add_directory(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny");
    hub_.files["train.py"] = {"not wanted", false};
    write_recipe("tiny", "base: {hf_repo: test/model, revision: main}\n");
    write_recipe("sourceless", "");
    options_.environment = [endpoint = hub_.endpoint()](const std::string& name) {
      return name == "HF_ENDPOINT" ? std::optional(endpoint) : std::nullopt;
    };
  }

  void write_recipe(const std::string& name, const std::string& source) const {
    fs::create_directories(home() / "models");
    std::ofstream(home() / "models" / (name + ".yaml"))
        << "schema: 1\nname: " << name << "\nlicense: MIT\narchitecture: ZImagePipeline\n"
        << source
        << "components: {scheduler: {}, tokenizer: {}, text_encoder: {}, transformer: {}, vae: {}}\n"
        << "defaults: {steps: 1, width: 32, height: 32}\n";
  }
  bool stored(const std::string& name) const {
    return host::Store(home()).find(host::ModelName::parse(name)).has_value();
  }

  FakeHub hub_;
};

TEST_F(OllamaPull, fetches_the_model_of_a_recipe) {
  const Answer answer = post("/api/pull", {{"model", "tiny:latest"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.lines().front().at("status"), "pulling manifest");
  EXPECT_EQ(answer.lines().back().at("status"), "success") << answer.body;
  ASSERT_TRUE(stored("tiny"));
  EXPECT_FALSE(post("/api/show", {{"model", "tiny"}}).json().at("license").empty());
  const std::uint64_t bytes = hub_.bytes_served();
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(post("/api/pull", {{"model", "tiny"}, {"stream", false}}).json().at("status"), "success");
  EXPECT_EQ(hub_.bytes_served(), bytes) << "everything is here";
}

TEST_F(OllamaPull, tells_of_each_file_by_its_digest) {
  const auto lines = post("/api/pull", {{"model", "tiny"}}).lines();
  std::map<std::string, nlohmann::json> last;  // by status, which names the file
  for (const nlohmann::json& line : lines) {
    if (!line.contains("total")) continue;
    EXPECT_TRUE(line.contains("digest")) << line;
    const auto known = last.emplace(line.at("status"), line).first;
    EXPECT_EQ(known->second.at("digest"), line.at("digest"));
    known->second = line;
  }
  EXPECT_FALSE(last.contains("pulling train.py"));
  const std::string weights = "vae/diffusion_pytorch_model.safetensors";
  const std::string& content = hub_.files.at(weights).content;
  ASSERT_TRUE(last.contains("pulling " + weights));
  EXPECT_EQ(last["pulling " + weights].at("digest"), host::sha256(content).text());
  EXPECT_EQ(last["pulling " + weights].at("total"), content.size());
  for (const auto& [status, line] : last)
    EXPECT_EQ(line.at("completed"), line.at("total")) << status;
}

TEST_F(OllamaPull, names_a_repositorys_model_as_its_client_does) {
  const Answer answer = post("/api/pull", {{"model", "hf.co/test/model"}, {"stream", false}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_TRUE(stored("model"));
  EXPECT_EQ(post("/api/show", {{"model", "hf.co/test/model"}}).status, 200);
}

TEST_F(OllamaPull, refuses_what_nobody_knows_or_has) {
  for (const bool stream : {true, false}) {
    for (const char* name : {"nobody", "sourceless", "test/nobody"}) {
      const Answer answer = post("/api/pull", {{"model", name}, {"stream", stream}});
      EXPECT_EQ(answer.status, 404) << name << ": " << answer.body;
    }
  }
  EXPECT_EQ(post("/api/pull", {{"model", "../tiny"}}).status, 400);
  EXPECT_EQ(post("/api/pull", {{"model", "pocket-turbo"}, {"stream", false}}).status, 200) << "it is here";
  EXPECT_THAT(hub_.requests(), IsEmpty());
}

TEST_F(OllamaPull, says_what_the_hub_lacks) {
  hub_.files.erase("vae/config.json");
  const Answer streamed = post("/api/pull", {{"model", "tiny"}});
  EXPECT_EQ(streamed.lines().back().at("code"), "WEIGHTS_MISSING") << streamed.body;
  const Answer whole = post("/api/pull", {{"model", "tiny"}, {"stream", false}});
  EXPECT_EQ(whole.status, 404) << whole.body;
  EXPECT_FALSE(stored("tiny"));
}

TEST_F(OllamaPull, works_with_the_official_client) {
  ASSERT_TRUE(fs::exists(fs::path(ROUNDHOUSE_CLIENTS) / "../../../node_modules/ollama"))
      << "'./dev test' installs the client";
  const std::string command =
      "node '" ROUNDHOUSE_CLIENTS "/ollama_pull.mjs' http://127.0.0.1:" + std::to_string(port()) + " tiny";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(stored("tiny"));
}

}  // namespace
}  // namespace roundhouse::test
