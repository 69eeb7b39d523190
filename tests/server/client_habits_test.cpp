// SPDX-License-Identifier: Apache-2.0
// Requests as the usual clients of other servers write them: whole default bodies, names of models and
// schedulers that are not here, numbers as text, sizes by habit.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ClientHabits : public DaemonTest {
 protected:
  json a1111(const json& more) {
    json body = {{"prompt", "a castle"}, {"steps", 1}, {"width", 64}, {"height", 64}, {"cfg_scale", 1}};
    body.update(more);
    const Answer answer = post("/sdapi/v1/txt2img", body);
    EXPECT_EQ(answer.status, 200) << more << ": " << answer.body.substr(0, 300);
    return answer.status == 200 ? json::parse(answer.json().at("info").get<std::string>()) : json::object();
  }
  int openai(const json& more) {
    json body = {{"prompt", "a castle"}, {"steps", 1}, {"response_format", "b64_json"}};
    body.update(more);
    answer_ = post("/v1/images/generations", body);
    return answer_.status;
  }
  std::size_t loaded() { return get("/api/ps").json().at("models").size(); }

  Answer answer_;
};

TEST_F(ClientHabits, every_listed_sampler_works_with_every_listed_scheduler) {
  const json samplers = get("/sdapi/v1/samplers").json(), schedulers = get("/sdapi/v1/schedulers").json();
  ASSERT_GE(samplers.size() * schedulers.size(), 6u);
  for (const json& sampler : samplers) {
    for (const json& scheduler : schedulers)
      a1111({{"sampler_name", sampler.at("name")}, {"scheduler", scheduler.at("label")}});
  }
  a1111({{"sampler_name", "DPM++ 2M Karras"}});
}

TEST_F(ClientHabits, schedulers_that_are_not_known_are_the_samplers_own) {
  for (const char* name : {"Simple", "SGM Uniform", "Align Your Steps", "anything"}) {
    const json info = a1111({{"scheduler", name}});
    EXPECT_THAT(info.at("notes").dump(), HasSubstr(name));
  }
  EXPECT_EQ(a1111({{"scheduler", "Automatic"}}).at("notes"), json::array());
  EXPECT_EQ(post("/sdapi/v1/txt2img", {{"prompt", "x"}, {"sampler_name", "Euler a"}}).status, 404);
}

TEST_F(ClientHabits, the_listed_file_of_a_model_means_it_and_other_settings_are_told) {
  const json file = get("/sdapi/v1/sd-models").json().at(0).at("filename");
  const json info =
      a1111({{"override_settings", {{"sd_model_checkpoint", file}, {"CLIP_stop_at_last_layers", 2}}},
             {"restore_faces", "0"},
             {"tiling", 0}});
  EXPECT_THAT(info.at("notes").dump(), HasSubstr("override_settings.CLIP_stop_at_last_layers"));
  EXPECT_EQ(post("/sdapi/v1/options", {{"sd_model_checkpoint", file}}).status, 200);
}

TEST_F(ClientHabits, numbers_may_be_text_where_the_web_ui_takes_them) {
  const json info = a1111({{"steps", "2"},
                           {"width", "128"},
                           {"cfg_scale", "1"},
                           {"seed", "7"},
                           {"send_images", "true"},
                           {"height", ""}});
  EXPECT_EQ(info.at("seed"), 7);
  EXPECT_EQ(info.at("width"), 128);
  EXPECT_EQ(info.at("steps"), 2);
  EXPECT_EQ(post("/sdapi/v1/txt2img", {{"prompt", "x"}, {"steps", "many"}}).status, 400);
}

TEST_F(ClientHabits, prompts_may_be_empty_where_that_is_the_default) {
  a1111({{"prompt", ""}});
  EXPECT_EQ(post("/generate", {{"prompt", "  \n"}, {"steps", 1}}).status, 400);
  EXPECT_EQ(openai({{"prompt", "  "}}), 400);
}

TEST_F(ClientHabits, the_model_of_the_web_ui_is_unloaded_and_loaded_again) {
  a1111(json::object());
  EXPECT_EQ(loaded(), 1u);
  EXPECT_EQ(ask(port(), "POST", "/sdapi/v1/unload-checkpoint", "").status, 200);
  EXPECT_EQ(loaded(), 0u);
  EXPECT_EQ(ask(port(), "POST", "/sdapi/v1/reload-checkpoint", "").status, 200);
  EXPECT_EQ(loaded(), 1u);
  for (const std::string name :
       {"sd-modules", "face-restorers", "realesrgan-models", "extensions", "script-info"})
    EXPECT_EQ(get("/sdapi/v1/" + name).json(), json::array()) << name;
}

TEST_F(ClientHabits, openai_names_of_every_year_stand_for_the_default_model) {
  for (const char* name : {"dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-2", "gpt-image-1.5-2025-12-16",
                           "chatgpt-image-latest"}) {
    EXPECT_EQ(openai({{"model", name}, {"size", "64x64"}}), 200) << name;
    EXPECT_THAT(answer_.json().at("notes").dump(), HasSubstr(name));
  }
  EXPECT_EQ(openai({{"model", "gpt-5"}}), 404);
}

TEST_F(ClientHabits, sixteen_images_are_for_models_of_this_server) {
  EXPECT_EQ(openai({{"n", 11}, {"size", "64x64"}}), 400);
  EXPECT_EQ(openai({{"n", 11}, {"size", "64x64"}, {"model", "gpt-image-1"}}), 400);
  EXPECT_EQ(openai({{"n", 11}, {"size", "64x64"}, {"model", "pocket-turbo"}}), 200)
      << answer_.body.substr(0, 300);
  EXPECT_EQ(openai({{"n", 17}, {"size", "64x64"}, {"model", "pocket-turbo"}}), 400);
}

TEST_F(ClientHabits, a_size_by_habit_becomes_one_that_the_default_model_can_draw) {
  EXPECT_EQ(openai({{"size", "1792x1024"}}), 200) << answer_.body.substr(0, 300);
  EXPECT_EQ(answer_.json().at("size"), "512x288");
  EXPECT_THAT(answer_.json().at("notes").dump(), HasSubstr("the size 1792x1024 became 512x288"));
  EXPECT_EQ(openai({{"size", "1024x1024"}, {"model", "dall-e-3"}}), 200);
  for (const char* quality : {"hd", "low", "high", "standard"})
    EXPECT_EQ(openai({{"size", "1024x1024"}, {"model", "dall-e-3"}, {"quality", quality}}), 200) << quality;
  EXPECT_EQ(openai({{"size", "1024x1024"}, {"model", "pocket-turbo"}}), 400);
  EXPECT_EQ(openai({{"size", "1024x1024"}, {"fit_sizes", false}}), 400);
  EXPECT_EQ(openai({{"size", "64x64"}}), 200);
  EXPECT_EQ(answer_.json().at("notes"), json::array());
  EXPECT_EQ(a1111({{"width", 1024}, {"height", 1024}}).at("width"), 512);
}

TEST_F(ClientHabits, sizes_are_refused_where_the_owner_says_so) {
  options_.fit_sizes = false;
  EXPECT_EQ(openai({{"size", "1024x1024"}}), 400);
}

}  // namespace
}  // namespace roundhouse::test
