// SPDX-License-Identifier: Apache-2.0
// The native routes as the pixel-art server's clients use them, and what is added to them.
#include <filesystem>
#include <fstream>
#include <thread>

#include "host/transport/base64.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr const char* kId = "0b0c2f6e-8a3c-4c55-9e55-2a1f0a7a1234";

class Native : public DaemonTest {
 protected:
  // An image that takes long when nobody stops it.
  static nlohmann::json long_request(const std::string& id = kId) {
    return {
        {"prompt", "a red circle"}, {"engine", "reference"}, {"width", 512}, {"height", 512}, {"steps", 50},
        {"generation_id", id}};
  }
  bool works(const std::string& id = kId) {
    return becomes_true([&] {
      const Answer answer = get("/progress/" + id);
      return answer.status == 200 && answer.json().at("progress") >= 25;
    });
  }
};

TEST_F(Native, an_image_has_the_fields_and_the_bytes_that_its_client_expects) {
  const Answer answer =
      post("/generate", {{"prompt", "a red mushroom"}, {"seed", 7}, {"width", 128}, {"height", 96}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const nlohmann::json json = answer.json();
  EXPECT_EQ(json.at("success"), true);
  const nlohmann::json& image = json.at("image");
  EXPECT_EQ(image.at("mode"), "rgba");
  EXPECT_EQ(image.at("width"), 128);
  EXPECT_EQ(image.at("height"), 96);
  EXPECT_EQ(image.at("fit_mode"), "contain");
  EXPECT_EQ(image.at("preserve_aspect"), true);
  const auto bytes = host::base64_decoded(image.at("base64").get<std::string>());
  ASSERT_TRUE(bytes);
  ASSERT_EQ(bytes->size(), 128u * 96u * 4u);
  EXPECT_EQ(static_cast<unsigned char>(bytes->at(3)), 255);
  EXPECT_EQ(json.at("seed"), 7);
  EXPECT_EQ(json.at("prompt"), "a red mushroom");
  EXPECT_EQ(json.at("prompt_used"), "a red mushroom, pixel art, 8bit style, game sprite");
  EXPECT_GT(json.at("generation_time"), 0);
  EXPECT_EQ(json.at("generation_id"), answer.field("X-Generation-Id"));
  EXPECT_EQ(json.at("model_name"), "pocket-turbo");
  EXPECT_NE(json.at("engine"), "");
}

class Quality : public Native, public testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(Quality, becomes_a_size_that_the_model_takes) {
  const auto [width, height] = GetParam();
  const Answer answer =
      post("/generate",
           {{"prompt", "pixel art"}, {"width", width}, {"height", height}, {"steps", 1}, {"guidance", 0}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const nlohmann::json image = answer.json().at("image");
  const int w = image.at("width"), h = image.at("height");
  EXPECT_EQ(w % 16, 0);
  EXPECT_EQ(h % 16, 0);
  EXPECT_LE(std::max(w, h), 512);
  // Half a raster on each side is what rounding may cost.
  EXPECT_NEAR(static_cast<double>(w) * height, static_cast<double>(h) * width, 8.0 * (width + height));
  EXPECT_EQ(host::base64_decoded(image.at("base64").get<std::string>())->size(),
            static_cast<std::size_t>(w) * h * 4);
}
INSTANTIATE_TEST_SUITE_P(sizes, Quality,
                         testing::Values(std::pair(848, 480), std::pair(896, 504), std::pair(1600, 900),
                                         std::pair(1024, 1024), std::pair(480, 848)));

TEST_F(Native, refuses_with_the_codes_of_the_pixel_art_server) {
  const Answer none = post("/generate", nlohmann::json::object());
  EXPECT_EQ(none.status, 400);
  EXPECT_EQ(none.json().at("success"), false);
  EXPECT_EQ(none.json().at("error"), "No prompt provided");
  const auto code = [&](nlohmann::json body) {
    body["prompt"] = "x";
    const Answer answer = post("/generate", body);
    return std::to_string(answer.status) + " " + answer.json().at("code").get<std::string>();
  };
  EXPECT_EQ(code({{"width", 2064}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(code({{"width", 0}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(code({{"width", "wide"}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(code({{"steps", 51}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(code({{"steps", 9223372036854775807}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(code({{"model", "nobody"}}), "404 MODEL_NOT_FOUND");
  EXPECT_EQ(code({{"model", "../../etc"}}).substr(0, 1), "4");
  EXPECT_EQ(code({{"engine", "nobody"}}), "404 ENGINE_NOT_FOUND");
  EXPECT_EQ(code({{"lora_model", "neon"}}), "422 LORA_UNSUPPORTED_ENGINE");
  EXPECT_EQ(code({{"generation_id", "1"}}), "400 VALIDATION_ERROR");
  EXPECT_EQ(ask(port(), "POST", "/generate", "{").status, 400);
  EXPECT_EQ(ask(port(), "POST", "/generate", "[]").status, 400);
  EXPECT_EQ(ask(port(), "POST", "/generate", std::string(100'000, '[')).status, 400);
}

TEST_F(Native, says_busy_where_nothing_may_wait) {
  options_.pool.queue = 0;
  options_.pool.max_loaded = 1;
  Client first(port());
  first.send_request("POST", "/generate", long_request().dump());
  ASSERT_TRUE(works());
  const Answer second = post("/generate", {{"prompt", "x"}});
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.json().at("error"), "another generation in progress");
  EXPECT_EQ(post(std::string("/cancel/") + kId, {}).status, 202);
  EXPECT_EQ(first.read_answer().status, 499);
}

TEST_F(Native, tells_progress_that_never_falls_and_forgets_it) {
  EXPECT_EQ(get("/progress/x").status, 400);
  EXPECT_EQ(get(std::string("/progress/") + kId).status, 404);
  Client client(port());
  client.send_request("POST", "/generate",
                      R"({"prompt":"a blue house","generation_id":")" + std::string(kId) + "\"}");
  double before = 0;
  std::string status;
  ASSERT_TRUE(becomes_true(
      [&] {
        const Answer answer = get(std::string("/progress/") + kId);
        if (answer.status != 200) return false;
        EXPECT_GE(answer.json().at("progress"), before);
        before = answer.json().at("progress");
        status = answer.json().at("status");
        return status != "generating";
      },
      milliseconds(60'000)));
  EXPECT_EQ(status, "completed");
  EXPECT_EQ(before, 100);
  const nlohmann::json record = get(std::string("/progress/") + kId).json();
  EXPECT_EQ(record.at("current_step"), record.at("total_steps"));
  EXPECT_NEAR(record.at("expires_at").get<double>() - record.at("timestamp").get<double>(), 10, 0.01);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(post(std::string("/cancel/") + kId, {}).status, 409);
  const Answer again = post("/generate", {{"prompt", "x"}, {"generation_id", kId}});
  EXPECT_EQ(again.status, 409);
}

TEST_F(Native, cancels_on_request) {
  EXPECT_EQ(post("/cancel/x", {}).status, 400);
  EXPECT_EQ(post(std::string("/cancel/") + kId, {}).status, 404);
  Client client(port());
  client.send_request("POST", "/generate", long_request().dump());
  ASSERT_TRUE(works());
  const Answer cancelled = post(std::string("/cancel/") + kId, {});
  EXPECT_EQ(cancelled.status, 202);
  EXPECT_EQ(cancelled.json().at("status"), "canceling");
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 499);
  EXPECT_EQ(answer.json().at("code"), "CANCELED");
  EXPECT_EQ(get(std::string("/progress/") + kId).json().at("status"), "canceled");
  EXPECT_EQ(post("/generate", test_card()).status, 200);
}

TEST_F(Native, stops_the_work_of_a_client_that_leaves) {
  for (const bool streams : {false, true}) {
    const std::string id = streams ? kId : "0b0c2f6e-8a3c-4c55-9e55-2a1f0a7a1235";
    nlohmann::json body = long_request(id);
    body["stream"] = streams;
    Client client(port());
    client.send_request("POST", "/generate", body.dump());
    ASSERT_TRUE(works(id));
    client.close();
    EXPECT_TRUE(becomes_true([&] {
      const Answer answer = get("/progress/" + id);
      return answer.status == 200 && answer.json().at("status") == "canceled";
    })) << streams;
  }
  EXPECT_TRUE(becomes_true([&] { return get("/health").json().at("active") == 0; }));
}

TEST_F(Native, streams_lines_that_end_with_the_result) {
  nlohmann::json body = test_card();
  body.update({{"stream", true}, {"format", "png"}, {"preview_every", 1}, {"steps", 4}});
  Client client(port());
  client.send_request("POST", "/generate", body.dump());
  const Answer answer = client.read_answer();
  ASSERT_EQ(answer.status, 200);
  ASSERT_TRUE(answer.whole);
  EXPECT_EQ(answer.field("Content-Type"), "application/x-ndjson");
  double before = 0;
  int previews = 0;
  const auto lines = answer.lines();
  for (const nlohmann::json& line : lines) {
    previews += line.at("event") == "preview";
    if (line.at("event") != "progress") continue;
    EXPECT_GE(line.at("progress"), before);
    before = line.at("progress");
  }
  EXPECT_GT(previews, 0);
  ASSERT_EQ(lines.back().at("event"), "result");
  const auto png = host::base64_decoded(lines.back().at("image").at("base64").get<std::string>());
  EXPECT_THAT(png.value_or(""), HasSubstr("parameters"));
}

TEST_F(Native, changes_the_default_engine_for_all) {
  EXPECT_EQ(get("/health").json().at("engine"), "auto");
  const Answer changed = post("/set_engine", {{"engine", "testcard"}});
  EXPECT_EQ(changed.json(), nlohmann::json({{"success", true}, {"engine", "testcard"}, {"changed", true}}));
  EXPECT_EQ(post("/set_engine", {{"engine", "testcard"}}).json().at("changed"), false);
  EXPECT_EQ(get("/health").json().at("engine"), "testcard");
  EXPECT_EQ(
      post("/generate", {{"prompt", "x"}, {"width", 64}, {"height", 64}, {"steps", 1}}).json().at("engine"),
      "testcard");
  EXPECT_EQ(post("/set_engine", {{"engine", "nobody"}}).status, 400);
  EXPECT_EQ(post("/set_engine", nlohmann::json::object()).status, 400);
  EXPECT_EQ(post("/set_engine", {{"engine", "auto"}}).json().at("engine"), "auto");
}

TEST_F(Native, lists_models_engines_and_loras) {
  EXPECT_THAT(get("/models").json().at("models"), testing::Contains("pocket-turbo"));
  EXPECT_EQ(get("/engines").json().at("engines").at("openblas").at("id"), "openblas");
  EXPECT_EQ(get("/loras").json().at("loras"), nlohmann::json::array({"None"}));
  std::filesystem::create_directories(home() / "loras");
  std::ofstream(home() / "loras" / "neon.safetensors").put('x');
  EXPECT_EQ(get("/loras").json().at("loras"), nlohmann::json::array({"None", "neon"}));
}

TEST_F(Native, loads_a_model_ahead) {
  EXPECT_EQ(get("/health").json().at("model_loaded"), false);
  const Answer answer = post("/load_model", {{"model_name", "pocket-turbo"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("success"), true);
  EXPECT_EQ(answer.json().at("model"), "pocket-turbo");
  EXPECT_EQ(answer.json().at("device"), "cpu");
  const nlohmann::json health = get("/health").json();
  EXPECT_EQ(health.at("model_loaded"), true);
  EXPECT_EQ(health.at("current_model"), "pocket-turbo");
  EXPECT_EQ(health.at("status"), "healthy");
  EXPECT_EQ(health.at("version"), "2.0.0");
  EXPECT_EQ(post("/load_model", nlohmann::json::object()).status, 400);
  EXPECT_EQ(post("/load_model", {{"model_name", "nobody"}}).status, 404);
}

TEST_F(Native, writes_a_line_for_every_request_and_no_prompt) {
  nlohmann::json body = test_card();
  body["prompt"] = "unspeakable";
  const Answer answer = ask(port(), "POST", "/generate", body.dump(), {{"X-Request-Id", "id-17"}});
  ASSERT_EQ(answer.status, 200);
  nlohmann::json line;
  ASSERT_TRUE(becomes_true([&] {
    for (const nlohmann::json& entry : log_lines()) {
      if (entry.value("request_id", "") == "id-17") line = entry;
    }
    return !line.is_null();
  }));
  EXPECT_EQ(line.at("route"), "/generate");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("engine"), "testcard");
  EXPECT_EQ(line.at("width"), 64);
  EXPECT_GT(line.at("ms"), 0);
  for (const nlohmann::json& entry : log_lines())
    EXPECT_THAT(entry.dump(), testing::Not(HasSubstr("unspeakable")));
}

}  // namespace
}  // namespace roundhouse::test
