// SPDX-License-Identifier: Apache-2.0
// Models from a Hugging Face hub.
#include <thread>

#include "host/sources/hub_choice.h"
#include "tests/host/sources/hub_fixture.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using test::FakeHub;
using test::ServerReply;
using test::ServerRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kWeights = "vae/diffusion_pytorch_model.safetensors";

TEST_F(HubTest, APullBringsTheModelThatTheHubLists) {
  const ImportReport report = pull();
  EXPECT_EQ(report.bytes_fetched, all_bytes());
  EXPECT_EQ(report.fetched, hub_.files.size());
  EXPECT_EQ(hub_.bytes_served(), all_bytes());
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
  const ModelManifest manifest = store().manifest(get("m"));
  const ModelConfig config = store().config(get("m"), manifest);
  EXPECT_EQ(config.provenance.kind, "hub");
  EXPECT_EQ(config.provenance.repository, "test/model");
  EXPECT_EQ(config.provenance.revision, FakeHub::kCommit);
  EXPECT_TRUE(config.weights.contains(kWeights)) << "digests of tensors";
  EXPECT_EQ(get("m").source, "hf:test/model");
  for (const ServerRequest& request : hub_.requests())
    EXPECT_EQ(request.path().find("/main/"), std::string::npos)
        << "what moves is asked once: " << request.target;
  import("directory");
  const ModelManifest imported = store().manifest(get("directory"));
  ASSERT_EQ(imported.files.size(), manifest.files.size());
  for (std::size_t i = 0; i < imported.files.size(); ++i)
    EXPECT_EQ(imported.files[i].digest, manifest.files[i].digest) << imported.files[i].path;
}

TEST_F(HubTest, ProgressTellsOfEachFileWhatItsListingSays) {
  std::map<std::string, FileProgress> last;
  ImportOptions import;
  import.progress = [&](const StoreProgress& progress) { last[progress.what] = progress.file.value();
};
for (const char* name : {"m", "again"}) {
  last.clear();
  pull_from_hub(store(), {{source()}}, ModelName::parse(name), options_, import);
  ASSERT_EQ(last.size(), hub_.files.size()) << "also of what is here already";
  for (const auto& [path, file] : last) {
    const test::HubEntry& entry = hub_.files.at(path);
    EXPECT_EQ(file.done, entry.content.size()) << path;
    EXPECT_EQ(file.total, entry.content.size()) << path;
    EXPECT_THAT(file.digest, StartsWith(entry.large ? sha256(entry.content).text() : "git-sha1:")) << path;
  }
}
}  // namespace

TEST_F(HubTest, ASecondPullFetchesNothing) {
  const Digest digest = pull().model.digest;
  const ImportReport again = pull("again");
  EXPECT_EQ(again.bytes_fetched, 0u);
  EXPECT_EQ(again.present, hub_.files.size());
  EXPECT_EQ(again.model.digest, digest);
  EXPECT_EQ(hub_.bytes_served(), all_bytes());
}

TEST_F(HubTest, AListingGoesOnPageAfterPage) {
  hub_.page = 2;
  EXPECT_EQ(pull().fetched, hub_.files.size());
}

TEST_F(HubTest, TheTokenGoesToTheHubAndNowhereElse) {
  hub_.token = "hf_secret";
  EXPECT_THAT(pulled(),
              StartsWith("AUTH_REQUIRED: hub: 401 for repository 'test/model', which is missing or gated"));
  options_.token = "hf_secret";
  EXPECT_EQ(pulled(), "ok");
  const auto elsewhere = hub_.content_requests();
  ASSERT_FALSE(elsewhere.empty());
  for (const ServerRequest& request : elsewhere)
    EXPECT_EQ(request.get("authorization"), "");
  options_.token = "hf_wrong";
  EXPECT_EQ(pulled("again").find("hf_wrong"), std::string::npos);
}

TEST_F(HubTest, ACutConnectionIsGoneOnWith) {
  hub_.wire().cut_after(test::TcpProxy::Direction::down, 20'000);
  options_.parallel = 1;
  EXPECT_EQ(pull().bytes_fetched, all_bytes());
  bool resumed = false;
  for (const ServerRequest& request : hub_.content_requests())
    resumed = resumed || !request.get("range").empty();
  EXPECT_TRUE(resumed);
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(HubTest, AnInterruptedPullIsGoneOnWith) {
  options_.parallel = 1;
  std::uint64_t seen = 0;
  ImportOptions import;
  import.progress = [&](const StoreProgress& progress) { seen = progress.done;
  if (progress.done > progress.total / 2) throw Error(RH_CANCELLED, "enough");
};
EXPECT_EQ(outcome([&] { pull_from_hub(store(), {{source()}}, ModelName::parse("m"), options_, import); }),
          "CANCELLED: enough");
EXPECT_TRUE(store().list().empty());
import.progress = [&](const StoreProgress& progress) { EXPECT_EQ(progress.before, seen);
EXPECT_GE(progress.done, progress.before);
};  // namespace roundhouse::host
const ImportReport report = pull_from_hub(store(), {{source()}}, ModelName::parse("m"), options_, import);
EXPECT_EQ(report.bytes_fetched, all_bytes() - seen);
}  // namespace roundhouse::host

TEST_F(HubTest, AServerWithoutRangesMakesItBeginAnew) {
  const std::string content = hub_.files[kWeights].content;
  answer_once(large_path(kWeights), {200, {}, content, content.size() / 2});
  EXPECT_EQ(pulled(), "ok");
  std::atomic<int> asked = 0;
  hub_.instead = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (!request.path().starts_with("/cdn/")) return std::nullopt;
    for (const auto& [path, entry] : hub_.files) {
      if (request.path() == large_path(path))
        return ServerReply{200, {}, entry.content, asked++ == 0 ? entry.content.size() / 2 : 0};
    }
    return std::nullopt;
  };
  fs::remove_all(root());
  options_.parallel = 1;
  EXPECT_EQ(pulled(), "ok");
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(HubTest, WhatIsLongerThanTheFileIsThrownAway) {
  const std::string content = hub_.files[kWeights].content;
  int ranges = 0;
  hub_.instead = [&](const ServerRequest& request) -> std::optional<ServerReply> {
    if (request.path() != large_path(kWeights)) return std::nullopt;
    if (!request.get("range").empty() && ranges++ == 0) return ServerReply{416, {}, ""};
    if (ranges > 0) return std::nullopt;
    return ServerReply{200, {}, content, content.size() / 2};
  };
  EXPECT_EQ(pulled(), "ok");
  EXPECT_EQ(ranges, 1);
}

TEST_F(HubTest, TheCacheOfTheHubsOwnClientsIsUsed) {
  fill_cache();
  const ImportReport report = pull();
  EXPECT_EQ(report.bytes_fetched, 0u);
  EXPECT_EQ(hub_.bytes_served(), 0u);
  EXPECT_EQ(report.linked, hub_.files.size());
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(HubTest, WhatTheCacheHasNotOrNotRightIsFetched) {
  fill_cache({"vae/config.json"});
  const fs::path damaged = options_.cache / "models--test--model/snapshots" / FakeHub::kCommit / kWeights;
  change(fs::canonical(damaged), [](std::string& content) { content[100] ^= 1; });
  const ImportReport report = pull();
  EXPECT_EQ(report.bytes_fetched,
            hub_.files["vae/config.json"].content.size() + hub_.files[kWeights].content.size());
  EXPECT_TRUE(store().verify(get("m"), {}).empty());
}

TEST_F(HubTest, WithoutANetworkTheCacheGivesTheSameModel) {
  fill_cache();
  const Digest online = pull("online").model.digest;
  options_.offline = true;
  options_.endpoint = Url::parse("http://127.0.0.1:9");
  EXPECT_EQ(pull("offline").model.digest, online);
  EXPECT_EQ(pull({{{"test/model", FakeHub::kCommit}}}, "commit").model.digest, online);
  EXPECT_THAT(outcome([&] {
                pull({{{"test/other", "main"}}}, "m");
              }),
              StartsWith("WEIGHTS_MISSING: hf:test/other: the hub's cache "));
}

TEST_F(HubTest, TwoPullsAtOnceFetchEveryByteOnce) {
  std::vector<std::string> outcomes(2);
  {
    std::jthread one([&] { outcomes[0] = pulled("a"); });
    std::jthread two([&] { outcomes[1] = pulled("b"); });
  }
  EXPECT_THAT(outcomes, ElementsAre("ok", "ok"));
  EXPECT_EQ(hub_.bytes_served(), all_bytes());
  EXPECT_EQ(get("a").digest, get("b").digest);
}

TEST_F(HubTest, AModelIsMadeOfSeveralParts) {
  for (const auto& [path, entry] : std::map(hub_.files)) {
    if (path.starts_with("vae/")) {
      hub_.files["other/" + path.substr(4)] = entry;
      hub_.files.erase(path);
    }
  }
  const auto all = [](const std::string&) { return true; };
  const auto not_other = [](const std::string& path) { return !path.starts_with("other/"); };
  const ImportReport report = pull({{source(), {}, {}, not_other}, {source(), "other", "vae", all}}, "m");
  EXPECT_EQ(report.files, hub_.files.size());
  EXPECT_THAT(outcome([&] { pull({{source(), "absent", "vae"}}, "x"); }), StartsWith("WEIGHTS_MISSING"));
  EXPECT_THAT(outcome([&] {
                pull({{source(), {}, {}, all}, {source(), {}, {}, all}}, "x");
              }),
              StartsWith("UNSAFE_NAME"));
}

TEST_F(HubTest, AModelThatLacksAFileGetsNoName) {
  hub_.files.erase("vae/config.json");
  EXPECT_EQ(pulled(), "WEIGHTS_MISSING: model 'hf:test/model': missing vae/config.json");
  EXPECT_TRUE(store().list().empty());
}

TEST(HubSource, NamesAreReadStrictly) {
  EXPECT_EQ(parse_hub_source("hf:org/name").revision, "main");
  EXPECT_EQ(parse_hub_source("hf:gpt2").name, "gpt2");
  EXPECT_EQ(parse_hub_source("hf:org/name@refs/pr/1").revision, "refs/pr/1");
  EXPECT_EQ(parse_hub_source("hf:org/name:Q8_0").file, "Q8_0");
  EXPECT_EQ(parse_hub_source("hf:org/name:a/b.gguf@v1").file, "a/b.gguf");
  EXPECT_EQ(parse_hub_source("hf:org/name:a/b.gguf@v1").revision, "v1");
  EXPECT_EQ(parse_hub_source("hf:org/name@v1:Q8_0").text(), "hf:org/name:Q8_0@v1");
  for (const char* text : {"hf:", "hf:/x", "hf:a/b:", "hf:a/b:x\ny", "hf:a/b/c", "hf:../x", "hf:a/..",
                           "hf:a/b@", "hf:a/b@../x", "hf:a b/c", "hf:a/b@x y", "hf:a/-b", "hf:a/b?x"}) {
    try {
      parse_hub_source(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_UNSAFE_NAME) << text;
    }
  }
  EXPECT_EQ(hub_model_name({"Tongyi-MAI/Z-Image-Turbo"}), "Z-Image-Turbo");
  EXPECT_EQ(hub_model_name({"a/x__y"}), "x-y");
  EXPECT_EQ(hub_model_name(parse_hub_source("hf:a/Qwen3-GGUF:q8_0")), "Qwen3-GGUF:q8_0");
  EXPECT_EQ(hub_model_name(parse_hub_source("hf:a/b:dir/Some-Q4_K_M.gguf")), "Some-Q4_K_M");
}

TEST(HubOptionsTest, FollowTheHubsOwnVariables) {
  std::map<std::string, std::string> variables = {{"HOME", "/home/me"}};
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  EXPECT_EQ(hub_options({}, environment).endpoint.text(), "https://huggingface.co/");
  EXPECT_EQ(hub_options({}, environment).cache, "/home/me/.cache/huggingface/hub");
  EXPECT_FALSE(hub_options({}, environment).token);
  const TemporaryDirectory home;
  home.write("token", "hf_file\n");
  variables["HF_HOME"] = home.path();
  EXPECT_EQ(hub_options({}, environment).token, "hf_file");
  EXPECT_EQ(hub_options({}, environment).cache, home.path() / "hub");
  variables["HF_TOKEN"] = "hf_variable";
  EXPECT_EQ(hub_options({}, environment).token, "hf_variable");
  EXPECT_EQ(hub_options({std::nullopt, home.path() / "token", false}, environment).token, "hf_file");
  EXPECT_EQ(hub_options({"hf_flag", std::nullopt, false}, environment).token, "hf_flag");
  variables["HF_HUB_CACHE"] = "/somewhere";
  variables["HF_HUB_OFFLINE"] = "yes";
  variables["HF_ENDPOINT"] = "https://hub.example/";
  EXPECT_EQ(hub_options({}, environment).cache, "/somewhere");
  EXPECT_TRUE(hub_options({}, environment).offline);
  EXPECT_EQ(hub_options({}, environment).endpoint.host(), "hub.example");
  for (const char* token : {"two words", "line\nline", "\x01"}) {
    try {
      hub_options({token, std::nullopt, false}, environment);
      ADD_FAILURE() << token;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      EXPECT_EQ(std::string(error.what()).find(token), std::string::npos) << "a token is in no message";
    }
  }
}

}  // namespace
}  // namespace roundhouse::host
