// SPDX-License-Identifier: Apache-2.0
// What holds for every dialect that makes images, whatever its words: answers begin once, what people write
// stays out of the log, images carry no metadata where a client wants none, and nobody learns where files
// lie.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "host/transport/base64.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

struct Dialect {
  const char* name;
  const char* path;
  json body;  // an image of pocket-turbo, by openblas
};

std::vector<Dialect> dialects() {
  const json openai = {{"prompt", "x"}, {"model", "pocket-turbo+openblas"}, {"size", "64x64"}, {"steps", 4},
                       {"seed", 1},     {"response_format", "b64_json"}};
  const json ollama = {{"prompt", "x"}, {"model", "pocket-turbo+openblas"}, {"width", 64}, {"height", 64},
                       {"steps", 4},    {"options", {{"seed", 1}}}};
  const json native = {{"prompt", "x"},
                       {"model", "pocket-turbo"},
                       {"engine", "openblas"},
                       {"width", 64},
                       {"height", 64},
                       {"steps", 4},
                       {"seed", 1},
                       {"exact", true},
                       {"format", "png"}};
  const json a1111 = {
      {"prompt", "x"},  {"width", 64},
      {"height", 64},   {"steps", 4},
      {"cfg_scale", 1}, {"override_settings", {{"sd_model_checkpoint", "pocket-turbo+openblas"}}}};
  const auto with = [](json body, const json& more) {
    body.update(more);
    return body;
  };
  return {
      {"native", "/generate", native},
      {"native stream", "/generate", with(native, {{"stream", true}})},
      {"openai", "/v1/images/generations", openai},
      {"openai stream", "/v1/images/generations", with(openai, {{"stream", true}, {"partial_images", 1}})},
      {"ollama", "/api/generate", with(ollama, {{"stream", false}})},
      {"ollama stream", "/api/generate", ollama},
      {"a1111", "/sdapi/v1/txt2img", a1111}};
}

// How often a text is in another.
std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

// PNG files in base64.
std::vector<std::string> images_in(const std::string& body) {
  std::vector<std::string> images;
  const std::string begin = "\"iVBORw0KGgo";
  for (std::size_t at = body.find(begin); at != std::string::npos; at = body.find(begin, at + 1)) {
    const std::size_t end = body.find('"', at + 1);
    images.push_back(host::base64_decoded(body.substr(at + 1, end - at - 1)).value_or(""));
  }
  return images;
}

class EveryDialect : public DaemonTest {
 protected:
  pid_t worker() {
    const json models = get("/api/ps").json().at("models");
    return models.empty() ? 0 : models[0].at("process").get<pid_t>();
  }
  std::string log_text() const {
    std::string text;
    for (const json& line : log_lines())
      text += line.dump() + "\n";
    return text;
  }
  // The answer to a request whose worker is stopped, and killed after a while.
  Answer answer_of_a_dead_worker(const Dialect& dialect, bool stopped, milliseconds after) {
    const pid_t process = worker();
    if (stopped) ::kill(process, SIGSTOP);
    Answer answer;
    std::thread client([&] { answer = post(dialect.path, dialect.body); });
    std::this_thread::sleep_for(after);
    ::kill(process, SIGKILL);
    client.join();
    return answer;
  }
};

// It died while nobody asked it for anything: the next worker does the work, and the answer begins once.
TEST_F(EveryDialect, begins_its_answer_once_where_an_idle_worker_was_dead) {
  for (const Dialect& dialect : dialects()) {
    ASSERT_EQ(post(dialect.path, dialect.body).status, 200) << dialect.name;
    ASSERT_NE(worker(), 0);
    const Answer answer = answer_of_a_dead_worker(dialect, true, milliseconds(200));
    EXPECT_EQ(answer.status, 200) << dialect.name << ": " << answer.body.substr(0, 300);
    EXPECT_TRUE(answer.whole) << dialect.name;
    EXPECT_THAT(answer.body.substr(0, 3000), Not(HasSubstr("INTERNAL"))) << dialect.name;
    EXPECT_GE(images_in(answer.body).size(), 1u) << dialect.name << ": " << answer.body.substr(0, 300);
    std::size_t engines = 0;
    for (const auto& [name, value] : answer.fields)
      engines += name == "X-Roundhouse-Engine" ? 1 : 0;
    EXPECT_LE(engines, 1u) << dialect.name;
  }
}

// Whenever it dies, the client gets the image or one error of the engine, and the next request works.
TEST_F(EveryDialect, ends_its_answer_once_whenever_a_worker_dies) {
  for (const Dialect& dialect : dialects()) {
    for (const int after : {0, 4, 12, 30}) {
      ASSERT_EQ(post(dialect.path, dialect.body).status, 200) << dialect.name;
      const Answer answer = answer_of_a_dead_worker(dialect, false, milliseconds(after));
      const std::string shown = std::string(dialect.name) + " after " + std::to_string(after) +
                                " ms: " + std::to_string(answer.status) + " " + answer.body.substr(0, 300);
      EXPECT_TRUE(answer.whole) << shown;
      const bool made = !images_in(answer.body).empty() && count_of(answer.body, "ENGINE_CRASHED") == 0;
      const bool failed = count_of(answer.body, "died") >= 1;
      EXPECT_TRUE(made != failed) << shown;
      EXPECT_EQ(count_of(answer.body, "answered twice"), 0u) << shown;
    }
  }
}

// Prompts of the wrong type are refused with messages, and messages are logged.
TEST_F(EveryDialect, keeps_what_people_write_out_of_the_log) {
  const std::vector<json> wrong = {
      json::array({"my secret"}), {{"text", "my secret"}}, json::array({{{"a", "my secret"}}})};
  for (const Dialect& dialect : dialects()) {
    for (const char* field : {"prompt", "negative_prompt"}) {
      for (const json& value : wrong) {
        json body = dialect.body;
        body[field] = value;
        const Answer answer = post(dialect.path, body);
        EXPECT_GE(answer.status, 400) << dialect.name << ' ' << field;
        EXPECT_THAT(answer.body, Not(HasSubstr("my secret"))) << dialect.name << ' ' << field;
      }
    }
    json lora = dialect.body;
    lora["prompt"] = "<lora:my secret:1>";
    post(dialect.path, lora);
    json cut = dialect.body;
    cut["prompt"] = "my secret \xff";
    ask(port(), "POST", dialect.path, cut.dump(-1, ' ', false, json::error_handler_t::ignore) + "my secret");
  }
  const json message = {{"role", "my secret"}, {"content", "my secret"}};
  for (const auto& [path, body] : std::vector<std::pair<const char*, json>>{
           {"/v1/chat/completions", {{"model", "pocket-turbo"}, {"messages", {message}}}},
           {"/v1/chat/completions", {{"model", "pocket-turbo"}, {"messages", "my secret"}}},
           {"/v1/chat/completions",
            {{"model", "pocket-turbo"}, {"messages", {{{"role", "user"}, {"content", {{"my secret", 1}}}}}}}},
           {"/v1/completions", {{"model", "pocket-turbo"}, {"prompt", {{"my secret", 1}}}}},
           {"/v1/completions", {{"model", "pocket-turbo"}, {"prompt", "x"}, {"stop", {{"my secret", 1}}}}},
           {"/v1/embeddings", {{"model", "pocket-turbo"}, {"input", {{"my secret", 1}}}}},
           {"/api/chat", {{"model", "pocket-turbo"}, {"messages", {message}}}},
           {"/api/chat", {{"model", "pocket-turbo"}, {"messages", "my secret"}}},
           {"/api/embed", {{"model", "pocket-turbo"}, {"input", {{"my secret", 1}}}}},
           {"/api/create", {{"model", "m"}, {"from", "pocket-turbo"}, {"system", {"my secret"}}}},
           {"/sdapi/v1/img2img", {{"prompt", {"my secret"}}, {"init_images", {"my secret"}}}}}) {
    const Answer answer = post(path, body);
    EXPECT_GE(answer.status, 400) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("my secret"))) << path << ' ' << body;
  }
  EXPECT_THAT(log_text(), Not(HasSubstr("my secret")));
}

TEST_F(EveryDialect, leaves_metadata_out_where_the_client_wants_none) {
  for (const Dialect& dialect : dialects()) {
    json body = dialect.body;
    for (const bool wanted : {true, false}) {
      body["metadata"] = wanted;
      const Answer answer = post(dialect.path, body);
      ASSERT_EQ(answer.status, 200) << dialect.name << answer.body.substr(0, 200);
      const auto images = images_in(answer.body);
      ASSERT_FALSE(images.empty()) << dialect.name;
      EXPECT_EQ(images.back().find("parameters") != std::string::npos, wanted) << dialect.name;
    }
  }
  Dialect a1111 = dialects().back();
  a1111.body["override_settings"]["enable_pnginfo"] = false;
  EXPECT_EQ(images_in(post(a1111.path, a1111.body).body).at(0).find("parameters"), std::string::npos);
  ASSERT_EQ(post("/sdapi/v1/options", {{"enable_pnginfo", false}}).status, 200);
  EXPECT_EQ(images_in(post(a1111.path, dialects().back().body).body).at(0).find("parameters"),
            std::string::npos);
  EXPECT_EQ(get("/sdapi/v1/options").json().at("enable_pnginfo"), false);
  Dialect ollama = dialects().at(5);
  ollama.body["options"]["metadata"] = false;
  EXPECT_EQ(images_in(post(ollama.path, ollama.body).body).at(0).find("parameters"), std::string::npos);
}

TEST_F(EveryDialect, tells_nobody_where_files_lie) {
  const std::string root = std::filesystem::path(ROUNDHOUSE_PROGRAM).parent_path().parent_path();
  std::ofstream(home() / "index.json") << "not JSON";
  std::filesystem::create_directories(home() / "models");
  std::ofstream(home() / "models" / "bad.yaml")
      << "schema: 1\nname: bad\narchitecture: X\npath: /nowhere/else\n";
  for (const char* path :
       {"/models", "/engines", "/health", "/loras", "/v1/models", "/v1/models/bad", "/api/tags", "/api/ps",
        "/api/version", "/sdapi/v1/sd-models", "/sdapi/v1/options", "/sdapi/v1/samplers", "/metrics"}) {
    const std::string body = get(path).body;
    for (const std::string& place : {root, home().string(), std::string("/nowhere/else")})
      EXPECT_THAT(body, Not(HasSubstr(place))) << path;
  }
  for (const char* model : {"bad", "pocket-turbo", "nope"}) {
    for (const auto& [path, body] : std::vector<std::pair<const char*, json>>{
             {"/api/show", {{"model", model}}},
             {"/generate", {{"prompt", "x"}, {"model", model}, {"width", 7}, {"exact", true}}},
             {"/v1/images/generations", {{"prompt", "x"}, {"model", model}, {"size", "7x7"}}},
             {"/api/generate", {{"prompt", "x"}, {"model", model}, {"width", 7}}},
             {"/api/create", {{"model", "m"}, {"from", model}}},
             {"/api/copy", {{"source", model}, {"destination", "b"}}}}) {
      const std::string answer = post(path, body).body;
      for (const std::string& place : {root, home().string(), std::string("/nowhere/else")})
        EXPECT_THAT(answer, Not(HasSubstr(place))) << path << ' ' << model;
    }
  }
}

}  // namespace
}  // namespace roundhouse::test
