// SPDX-License-Identifier: Apache-2.0
// POST /verify and /gc, against a store of the test, and their answers against the document.
#include <fstream>

#include "host/server/openapi.h"
#include "host/store/store.h"
#include "tests/server/daemon_test.h"
#include "tests/server/schema.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kWeights = "vae/diffusion_pytorch_model.safetensors";

class StoreRoutes : public DaemonTest {
 protected:
  host::Store store() const { return host::Store(home()); }
  host::StoredModel import(const std::string& name) const {
    return store()
        .import_directory(fs::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny", host::ModelName::parse(name), {})
        .model;
  }
  void damage(const host::StoredModel& model) const {
    const auto digest = store().manifest(model).find(kWeights)->digest;
    const fs::path blob = host::StorePaths{home()}.blob(digest);
    fs::permissions(blob, fs::perms::owner_write, fs::perm_options::add);
    std::fstream stream(blob, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(-1, std::ios::end);
    stream.put('!');
  }
  static std::string problem(const std::string& path, const nlohmann::json& answer) {
    const nlohmann::json document = host::openapi_document("1.2.3");
    return schema_problem(document,
                          document.at("paths")
                              .at(path)
                              .at("post")
                              .at("responses")
                              .at("200")
                              .at("content")
                              .at("application/json")
                              .at("schema"),
                          answer);
  }
};

TEST_F(StoreRoutes, verify_names_the_damage_of_each_model) {
  EXPECT_EQ(ask(port(), "POST", "/verify").json().at("models").size(), 0u) << "the store is empty";
  const host::StoredModel model = import("a");
  const Answer sound = post("/verify", {{"model", "a"}});
  ASSERT_EQ(sound.status, 200) << sound.body;
  EXPECT_EQ(problem("/verify", sound.json()), "");
  EXPECT_EQ(sound.json().at("sound"), true);
  EXPECT_EQ(sound.json().at("models").at(0).at("digest"), model.digest.text());
  damage(model);
  const Answer damaged = ask(port(), "POST", "/verify");
  ASSERT_EQ(damaged.status, 200) << "that is what was asked for";
  EXPECT_EQ(problem("/verify", damaged.json()), "");
  EXPECT_EQ(damaged.json().at("sound"), false);
  EXPECT_EQ(damaged.json().at("models").at(0).at("damages").at(0).at("file"), kWeights);
  EXPECT_THAT(damaged.body, Not(HasSubstr(home().string()))) << "no paths of this machine";
}

TEST_F(StoreRoutes, models_that_clients_may_not_use_are_named_nowhere) {
  import("mine");
  options_.models = [before = options_.models] {
    host::ModelSearch search = before().search();
    search.allowed = {"pocket-t*"};
    return host::ModelCatalogue(std::move(search));
  };
  EXPECT_EQ(post("/verify", nlohmann::json::object()).json().at("models").size(), 0U);
  for (const auto& [route, body] : std::vector<std::pair<std::string, nlohmann::json>>{
           {"/verify", {{"model", "mine"}}},
           {"/verify", {{"model", "other"}}},
           {"/api/copy", {{"source", "other"}, {"destination", "b"}}},
           {"/api/copy", {{"source", "mine"}, {"destination", "b"}}},
           {"/api/push", {{"model", "127.0.0.1:1/a/b"}, {"source", "other"}, {"insecure", true}}}}) {
    const Answer answer = post(route, body);
    EXPECT_EQ(answer.status, 404) << route << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("among: (none)")) << route;
  }
  EXPECT_THAT(post("/verify", {{"model", "pocket-turbo"}}).body, HasSubstr("/api/create"));
}

TEST_F(StoreRoutes, nothing_gets_a_name_that_clients_may_not_use) {
  import("pocket-tiny");
  options_.models = [before = options_.models] {
    host::ModelSearch search = before().search();
    search.allowed = {"pocket-t*"};
    return host::ModelCatalogue(std::move(search));
  };
  for (const auto& [route, body] : std::vector<std::pair<std::string, nlohmann::json>>{
           {"/api/copy", {{"source", "pocket-tiny"}, {"destination", "other"}}},
           {"/api/pull", {{"model", "127.0.0.1:1/a/other"}, {"insecure", true}}}}) {
    const Answer answer = post(route, body);
    EXPECT_EQ(answer.status, 400) << route << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("not among those that this server allows")) << route;
  }
  EXPECT_EQ(post("/api/copy", {{"source", "pocket-tiny"}, {"destination", "pocket-two"}}).status, 200);
}

TEST_F(StoreRoutes, verify_streams_how_far_it_is) {
  import("a");
  const auto lines = post("/verify", {{"stream", true}}).lines();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines.front().at("event"), "progress");
  EXPECT_LE(lines.front().at("done"), lines.front().at("total"));
  EXPECT_EQ(lines.back().at("event"), "result");
  EXPECT_EQ(problem("/verify", lines.back()), "");
}

TEST_F(StoreRoutes, verify_refuses_names_that_are_not_there) {
  for (const bool stream : {true, false}) {
    EXPECT_EQ(post("/verify", {{"model", "nobody"}, {"stream", stream}}).status, 404);
    EXPECT_EQ(post("/verify", {{"model", "../x"}, {"stream", stream}}).status, 400);
  }
  EXPECT_EQ(post("/verify", {{"model", 7}}).status, 400);
}

TEST_F(StoreRoutes, gc_frees_what_no_name_needs) {
  import("kept");
  const Answer nothing = ask(port(), "POST", "/gc");
  ASSERT_EQ(nothing.status, 200) << nothing.body;
  EXPECT_EQ(nothing.json().at("bytes"), 0);
  store().remove(host::ModelName::parse("kept"), false);
  const nlohmann::json told = post("/gc", {{"dry_run", true}}).json();
  EXPECT_EQ(problem("/gc", told), "");
  EXPECT_GT(told.at("bytes"), 0);
  EXPECT_FALSE(fs::is_empty(home() / "blobs/sha256"));
  const Answer removed = post("/gc", {{"dry_run", false}});
  EXPECT_EQ(removed.json().at("blobs"), told.at("blobs"));
  EXPECT_TRUE(fs::is_empty(home() / "blobs/sha256"));
  EXPECT_THAT(removed.body, Not(HasSubstr(home().string())));
  EXPECT_EQ(post("/gc", {{"dry_run", "yes"}}).status, 400);
}

}  // namespace
}  // namespace roundhouse::test
