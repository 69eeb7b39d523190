// SPDX-License-Identifier: Apache-2.0
// `roundhouse serve` from outside: settings, signals, curl.
#include <csignal>
#include <fstream>

#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class Serve : public ServedProgram {
 protected:
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void expect_clean_end(Running& running) const {
    running.send(SIGTERM);
    EXPECT_TRUE(running.ended_within(milliseconds(30'000)));
    const Outcome outcome = running.wait();
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_TRUE(all_ended_within(milliseconds(5000)));
  }
};

TEST_F(Serve, answers_at_once_and_without_any_pull) {
  Running running = serve();
  EXPECT_EQ(ask(port(), "GET", "/health").json().at("model_loaded"), false);
  const nlohmann::json body = {{"prompt", "a red mushroom"}, {"width", 64}, {"height", 64}, {"steps", 1}};
  const Answer answer = ask(port(), "POST", "/generate", body.dump());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("model_name"), "pocket-turbo");
  expect_clean_end(running);
}

// What lies where on this machine is nobody's business but that of its user.
TEST_F(Serve, takes_models_by_name_only) {
  const Running daemon = serve();
  const std::string directory = (fs::path(ROUNDHOUSE_MODELS) / "pocket-turbo").string();
  for (const std::string& model : {directory, std::string("/etc"), std::string("../.."), std::string(".")}) {
    const std::string body = nlohmann::json{{"prompt", "x"}, {"model", model}}.dump();
    for (const char* path : {"/generate", "/v1/images/generations", "/api/generate"})
      EXPECT_EQ(ask(port(), "POST", path, body).status, 400) << path << " " << model;
  }
}

TEST_F(Serve, refuses_names_that_are_not_utf8) {
  const Running daemon = serve();
  for (const char* path : {"/v1/models/a%FFb", "/v1/models/%C3"}) {
    const Answer answer = ask(port(), "GET", path);
    EXPECT_EQ(answer.status, 400) << path << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("is not valid UTF-8")) << path;
  }
  for (const Arguments& arguments :
       {Arguments{"generate", "x", "--model", "a\xff"}, Arguments{"generate", "x", "--model", "./a\xff"},
        Arguments{"show", "a\xff"}, Arguments{"serve", "--port", "0", "--pin", "a\xff"}})
    EXPECT_EQ(run(arguments).status, 2) << arguments[0];
}

TEST_F(Serve, speaks_with_curl) {
  Running running = serve();
  const std::string url = "http://127.0.0.1:" + std::to_string(port());
  const Outcome health = shell("curl -sSf " + url + "/health");
  EXPECT_EQ(health.status, 0) << health.err;
  EXPECT_EQ(health.json().at("status"), "healthy");
  const std::string data = "'" + test_card().dump() + "'";
  EXPECT_EQ(shell("curl -sSf " + url + "/generate -d " + data).json().at("success"), true);
  EXPECT_EQ(shell("curl -s -o /dev/null -w '%{http_code}' -I " + url + "/models").out, "200");
  EXPECT_EQ(shell("curl -s -o /dev/null -w '%{http_code}' -H 'Expect: 100-continue' " + url +
                  "/generate -d " + data)
                .out,
            "200");
  EXPECT_EQ(shell("curl -s -o /dev/null -w '%{http_code}' --http1.0 " + url + "/health").out, "200");
  EXPECT_EQ(shell("curl -s -o /dev/null -w '%{http_code}' -H 'Host: evil.example' " + url + "/models").out,
            "403");
  expect_clean_end(running);
}

TEST_F(Serve, ends_an_image_that_takes_too_long_when_it_is_told_to_end) {
  Running running = serve({"--stop-timeout", "100ms"});
  Client client(port());
  const nlohmann::json body = {{"prompt", "x"}, {"engine", "reference"}, {"width", 512},
                               {"height", 512}, {"steps", 50},           {"stream", true}};
  client.send_request("POST", "/generate", body.dump());
  ASSERT_EQ(client.read_head().status, 200);
  while (const auto line = client.read_line()) {
    if (nlohmann::json::parse(*line).value("progress", 0.0) >= 25) break;
  }
  running.send(SIGTERM);
  std::string last;
  while (const auto line = client.read_line())
    last = *line;
  EXPECT_EQ(nlohmann::json::parse(last).value("code", ""), "CANCELED") << last;
  EXPECT_TRUE(running.ended_within(milliseconds(30'000)));
  EXPECT_EQ(running.wait().status, 0);
  EXPECT_TRUE(all_ended_within(milliseconds(5000)));
}

TEST_F(Serve, lets_a_short_request_finish) {
  Running running = serve();
  Client client(port());
  const nlohmann::json body = {
      {"prompt", "a blue house"}, {"width", 128}, {"height", 128}, {"steps", 4}, {"stream", true}};
  client.send_request("POST", "/generate", body.dump());
  ASSERT_EQ(client.read_head().status, 200);
  ASSERT_TRUE(client.read_line());
  running.send(SIGTERM);
  std::string last;
  while (const auto line = client.read_line())
    last = *line;
  EXPECT_EQ(nlohmann::json::parse(last).at("event"), "result");
  EXPECT_TRUE(running.ended_within(milliseconds(30'000)));
  EXPECT_EQ(running.wait().status, 0);
}

TEST_F(Serve, says_that_the_port_is_taken) {
  Running running = serve();
  const Outcome second = run({"serve", "--port", std::to_string(port())});
  EXPECT_EQ(second.status, 7);
  EXPECT_THAT(second.err, HasSubstr("is in use already"));
}

TEST_F(Serve, prefers_flags_to_environment_to_file) {
  const std::string script =
      "ROUNDHOUSE_HOME=" + root_.string() + "/h ROUNDHOUSE_KEEP_ALIVE=nonsense $program serve --port 0";
  EXPECT_THAT(shell(script).err, HasSubstr("ROUNDHOUSE_KEEP_ALIVE"));
  write(work() / "c.json", R"({"host": "0.0.0.0"})");
  EXPECT_THAT(run({"serve", "--config", "c.json"}).err, HasSubstr("can be reached by other machines"));
  Running running = serve({"--config", "c.json", "--host", "127.0.0.1"});
  EXPECT_EQ(ask(port(), "GET", "/health").status, 200);
}

TEST_F(Serve, refuses_settings_that_it_does_not_understand) {
  const auto refusal = [&](const std::string& text) {
    write(work() / "c.json", text);
    return run({"serve", "--port", "0", "--config", "c.json"}).err;
  };
  EXPECT_THAT(refusal(R"({"kep_alive": 5})"),
              HasSubstr("UNKNOWN_OPTION: configuration file 'c.json': key 'kep_alive'"));
  EXPECT_THAT(refusal(R"({"port": 70000})"), HasSubstr("c.json': port: "));
  EXPECT_THAT(refusal(R"({"port": "x"})"), HasSubstr("c.json': port: "));
  EXPECT_THAT(refusal(R"({"allowed_hosts": "x"})"), HasSubstr("is not a list"));
  EXPECT_THAT(refusal(R"({"log_prompts": 3})"), HasSubstr("expected true or false"));
  EXPECT_THAT(refusal(R"({"queue": {}})"), HasSubstr("is not a value"));
  EXPECT_THAT(refusal("{"), HasSubstr("error: INVALID_ARGUMENT"));
  EXPECT_THAT(run({"serve", "--config", "none.json"}).err, HasSubstr("does not exist"));
  EXPECT_THAT(run({"serve", "--port", "0", "--engine", "nobody"}).err, HasSubstr("ENGINE_NOT_FOUND"));
  EXPECT_THAT(run({"serve", "--port", "0", "--api-key-file", "none"}).err, HasSubstr("does not exist"));
}

TEST_F(Serve, refuses_pins_that_have_no_place_or_no_model) {
  EXPECT_THAT(run({"serve", "--port", "0", "--pin", "nope"}).err, HasSubstr("MODEL_NOT_FOUND"));
  const Outcome many =
      run({"serve", "--port", "0", "--pin", "pocket-turbo", "--pin", "pocket-base", "--max-loaded", "1"});
  EXPECT_EQ(many.status, 2);
  EXPECT_THAT(many.err, HasSubstr("2 models are pinned, and max_loaded is 1"));
}

TEST_F(Serve, counts_a_pinned_model_as_a_loaded_one) {
  const Running running = serve({"--pin", "pocket-turbo", "--max-loaded", "1"});
  const auto draw = [&](const char* model) {
    const nlohmann::json body = {
        {"prompt", "a house"}, {"width", 64}, {"height", 64}, {"steps", 1}, {"model", model}};
    return ask(port(), "POST", "/generate", body.dump());
  };
  EXPECT_EQ(draw("pocket-turbo").status, 200);
  const Answer refused = draw("pocket-base");
  EXPECT_EQ(refused.status, 507);
  EXPECT_EQ(refused.json().at("error_code"), "OUT_OF_MEMORY");
  EXPECT_THAT(refused.body, HasSubstr("pinned are pocket-turbo"));
  EXPECT_EQ(ask(port(), "GET", "/api/ps").json().at("models").size(), 1U);
  EXPECT_EQ(draw("pocket-turbo").status, 200);
}

TEST_F(Serve, serves_other_machines_only_when_told_and_warns_without_a_key) {
  EXPECT_THAT(run({"serve", "--port", "0", "--host", "0.0.0.0"}).err, HasSubstr("--allow-remote"));
  EXPECT_THAT(run({"serve", "--port", "0", "--host", "::"}).err, HasSubstr("--allow-remote"));
  {
    Running running = serve({"--host", "0.0.0.0", "--allow-remote"});
    EXPECT_EQ(ask(port(), "GET", "/models").status, 200);
    running.send(SIGTERM);
    EXPECT_THAT(running.wait().err, HasSubstr("warning: other machines may use this server without a key"));
  }
  write(work() / "keys", "# ours\nsecret\n");
  Running running = serve({"--host", "0.0.0.0", "--allow-remote", "--api-key-file", "keys"});
  EXPECT_EQ(ask(port(), "GET", "/models").status, 401);
  EXPECT_EQ(ask(port(), "GET", "/health").status, 200);
  EXPECT_EQ(ask(port(), "GET", "/models", "", {{"Authorization", "Bearer secret"}}).status, 200);
  running.send(SIGTERM);
  EXPECT_THAT(running.wait().err, testing::Not(HasSubstr("without a key")));
}

TEST_F(Serve, logs_into_its_home_when_told) {
  Running running = serve({"--log-to-home"});
  ask(port(), "GET", "/health", "", {{"X-Request-Id", "find-me"}});
  running.send(SIGTERM);
  EXPECT_EQ(running.wait().status, 0);
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.path().filename() == "daemon.log") text = content(entry.path());
  }
  EXPECT_THAT(text, HasSubstr(R"("request_id":"find-me")"));
}

}  // namespace
}  // namespace roundhouse::test
