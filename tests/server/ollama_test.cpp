// SPDX-License-Identifier: Apache-2.0
// Ollama's routes: models that go to a real registry and come back, uploads, and names that lead elsewhere.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "host/server/ollama/reference.h"
#include "host/store/digest.h"
#include "roundhouse/error.hpp"
#include "tests/cli/docker_registry.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using host::ollama::parse_reference;
using testing::HasSubstr;

TEST(OllamaReference, drops_what_stands_for_nothing) {
  EXPECT_EQ(parse_reference("registry.ollama.ai/library/pocket-turbo:latest").model, "pocket-turbo");
  EXPECT_EQ(parse_reference("library/pocket-turbo").model, "pocket-turbo");
  EXPECT_EQ(parse_reference("pocket-turbo:small+reference").model, "pocket-turbo:small");
  EXPECT_EQ(parse_reference("pocket-turbo+reference").engine, "reference");
  EXPECT_EQ(parse_reference("+testcard").model, "");
  EXPECT_FALSE(parse_reference("pocket-turbo").source.has_value());
}

TEST(OllamaReference, knows_where_a_name_with_a_host_leads) {
  EXPECT_EQ(parse_reference("localhost:5000/team/tiny:1").source, "oci://localhost:5000/team/tiny:1");
  EXPECT_EQ(parse_reference("hf.co/org/tiny").source, "hf:org/tiny");
  EXPECT_EQ(parse_reference("huggingface.co/org/tiny:v2").source, "hf:org/tiny@v2");
  EXPECT_EQ(parse_reference("hf.co/org/tiny:Q4_K_M").source, "hf:org/tiny:Q4_K_M");
}

TEST(OllamaReference, refuses_names_that_lead_out) {
  for (const char* name : {"/etc/passwd", "../x", "a/../b", "a//b", "a/", "."})
    EXPECT_THROW(parse_reference(name), Error) << name;
}

class Ollama : public DaemonTest {
 protected:
  // The lines of a stream that ends well.
  std::vector<nlohmann::json> follow(const std::string& path, const nlohmann::json& body) {
    const Answer answer = post(path, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto lines = answer.lines();
    EXPECT_FALSE(lines.empty());
    if (!lines.empty()) {
      EXPECT_EQ(lines.back().value("status", ""), "success") << answer.body;
    }
    return lines;
  }
  // What a client shows that draws a bar for each digest: bytes that have come, and all.
  using Bars = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;
  static Bars bars(const std::vector<nlohmann::json>& lines) {
    Bars bars;
    for (const nlohmann::json& line : lines) {
      if (line.contains("digest")) bars[line.at("digest")] = {line.at("completed"), line.at("total")};
    }
    return bars;
  }
  std::string digest_of(const std::string& name) {
    return post("/api/show", {{"model", name}}).json().at("digest");
  }
};

TEST_F(Ollama, sends_a_model_to_a_registry_and_fetches_it_again) {
  const DockerRegistry registry(home() / "registry");
  const std::string remote = registry.address() + "/team/mine";
  follow("/api/create", {{"model", "mine"}, {"from", "pocket-turbo"}, {"parameters", {{"steps", 3}}}});
  const std::string digest = digest_of("mine");
  const auto pushed = follow("/api/push", {{"model", remote}});
  EXPECT_EQ(pushed.front().at("status"), "retrieving manifest");
  const Bars sent = bars(pushed);
  EXPECT_GT(sent.size(), 5u);
  for (const auto& [blob, bytes] : sent)
    EXPECT_EQ(bytes.first, bytes.second) << blob;
  EXPECT_EQ(ask(port(), "DELETE", "/api/delete", R"({"model":"mine"})").status, 200);
  EXPECT_EQ(post("/api/show", {{"model", "mine"}}).status, 404);
  const auto pulled = follow("/api/pull", {{"model", remote}});
  EXPECT_EQ(pulled.front().at("status"), "pulling manifest");
  EXPECT_EQ(bars(pulled), sent);
  EXPECT_EQ(digest_of("mine"), digest);
}

TEST_F(Ollama, says_what_a_registry_does_not_have) {
  const DockerRegistry registry(home() / "registry");
  const Answer answer = post("/api/pull", {{"model", registry.address() + "/team/none"}, {"stream", false}});
  EXPECT_EQ(answer.status, 404) << answer.body;
  EXPECT_EQ(answer.json().at("code"), "MODEL_NOT_FOUND");
}

TEST_F(Ollama, makes_a_model_of_uploaded_files) {
  const std::string text = "{\"no\": \"model\"}";
  const std::string digest = host::sha256(text).text();
  EXPECT_EQ(ask(port(), "POST", "/api/blobs/" + digest, text).status, 201);
  const Answer whole = post("/api/create", {{"model", "x"}, {"files", {{"config.json", digest}}}});
  EXPECT_THAT(whole.body, HasSubstr("\"error\"")) << "one file is no model";
  const Answer unsafe = post("/api/create", {{"model", "x"}, {"files", {{"../config.json", digest}}}});
  EXPECT_EQ(unsafe.status, 400) << unsafe.body;
  const std::string absent = host::sha256("never sent").text();
  const Answer missing = post("/api/create", {{"model", "x"}, {"files", {{"config.json", absent}}}});
  EXPECT_EQ(missing.status, 404) << missing.body;
  EXPECT_EQ(post("/api/show", {{"model", "x"}}).status, 404) << "nothing was named";
}

TEST_F(Ollama, makes_a_quantised_model_with_lines_of_progress) {
  const nlohmann::json body = {{"model", "small"}, {"from", "pocket-turbo"}, {"quantize", "Q8_0"}};
  const auto lines = follow("/api/create", body);
  std::uint64_t completed = 0, total = 0;
  for (const nlohmann::json& line : lines) {
    if (!line.contains("total")) continue;
    EXPECT_EQ(line.at("status"), "quantizing model to q8_0");
    completed = line.at("completed");
    total = line.at("total");
  }
  EXPECT_GT(total, 0u);
  EXPECT_EQ(completed, total);
  EXPECT_EQ(post("/api/show", {{"model", "small"}}).json().at("details").at("quantization_level"), "Q8_0");
  const nlohmann::json again = {
      {"model", "smaller"}, {"from", "small"}, {"quantize", "q4_K_M"}, {"stream", false}};
  EXPECT_EQ(post("/api/create", again).status, 200) << "of one in the store";
  const nlohmann::json wrong = {{"model", "x"}, {"from", "pocket-turbo"}, {"quantize", "q9"}};
  const Answer refused = post("/api/create", wrong);
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("is not known, expected one of: f16, fp16, int4"));
  EXPECT_EQ(post("/api/show", {{"model", "x"}}).status, 404);
}

TEST_F(Ollama, ends_the_check_of_a_model_whose_client_has_left) {
  std::atomic<bool> begun{false}, ended{false};
  options_.check = [&](const std::filesystem::path&, const host::ModelDirectory&,
                       const std::atomic<bool>& cancelled) -> std::string {
    begun = true;
    ended = becomes_true([&] { return cancelled.load(); });
    throw Error(RH_CANCELLED, "cancelled");
  };
  {
    Client client(port());
    client.send_request("POST", "/api/create", R"({"model": "mine", "from": "pocket-turbo"})");
    ASSERT_TRUE(becomes_true([&] { return begun.load(); }));
  }
  EXPECT_TRUE(becomes_true([&] { return ended.load(); }));
  EXPECT_EQ(post("/api/show", {{"model", "mine"}}).status, 404);
}

TEST_F(Ollama, keeps_no_upload_that_is_cut_short) {
  const std::string digest = host::sha256(std::string(1000, 'x')).text();
  {
    Client client(port());
    client.send_request("POST", "/api/blobs/" + digest, std::string(), {{"Content-Length", "1000"}});
    client.send(std::string(10, 'x'));
    client.close();
  }
  EXPECT_EQ(ask(port(), "GET", "/api/version").status, 200);
  EXPECT_EQ(ask(port(), "POST", "/api/blobs/" + digest, std::string(999, 'x')).status, 400);
  EXPECT_EQ(ask(port(), "POST", "/api/blobs/sha256:xyz", "x").status, 400);
}

}  // namespace
}  // namespace roundhouse::test
