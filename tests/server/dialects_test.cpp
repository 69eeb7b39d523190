// SPDX-License-Identifier: Apache-2.0
// The words of other interfaces, read and written.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "host/server/a1111/infotext.h"
#include "host/server/a1111/names.h"
#include "host/server/a1111/txt2img_request.h"
#include "host/server/http/http_error.h"
#include "host/server/image_to_image.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/image_request.h"
#include "host/server/request_fields.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

json failure(const Error& error, int status) {
  return json::parse(openai::failure_json({}, error, status)).at("error");
}

TEST(OpenAiFailure, has_the_type_of_its_status_and_the_field_of_its_message) {
  const json range = failure(Error(RH_INVALID_ARGUMENT, "num-images: 17 is out of range"), 400);
  EXPECT_EQ(range.at("type"), "invalid_request_error");
  EXPECT_EQ(range.at("param"), "n");
  EXPECT_EQ(range.at("code"), "invalid_argument");
  EXPECT_EQ(range.at("error_code"), "INVALID_ARGUMENT");
  EXPECT_EQ(failure(Error(RH_INVALID_DIMENSION, "height: 7 is below 64"), 400).at("param"), "size");
  EXPECT_EQ(failure(Error(RH_INVALID_ARGUMENT, "negative prompt: is too long"), 400).at("param"),
            "negative_prompt");
  EXPECT_EQ(failure(Error(RH_MODEL_NOT_FOUND, "model 'x' was not found"), 404).at("param"), "model");
  EXPECT_EQ(failure(Error(RH_MODEL_NOT_FOUND, "model 'x' was not found"), 404).at("code"), "model_not_found");
  EXPECT_EQ(failure(Error(RH_AUTH_REQUIRED, "no key"), 401).at("code"), "invalid_api_key");
  const json crash = failure(Error(RH_ENGINE_CRASHED, "engine 'x' died: signal 11"), 500);
  EXPECT_EQ(crash.at("type"), "server_error");
  EXPECT_EQ(crash.at("param"), nullptr);
}

// Of no request, and with nobody who reads the answer.
class NoExchange final : public http::Exchange {
 public:
  const http::Request& request() const override { return request_; }
  const std::atomic<bool>& cancelled() const override { return cancelled_; }
  void cancel() override {}
  void header(const std::string&, const std::string&) override {}
  void send(int, const std::string&, std::string) override {}
  http::Stream& begin(int, const std::string&) override { throw Error(RH_INTERNAL, "nobody reads"); }
  std::string read_body() override { return ""; }
  json& notes() override { return notes_; }

 private:
  http::Request request_;
  std::atomic<bool> cancelled_{false};
  json notes_;
};

TEST(OpenAiFailure, says_whether_asking_again_may_help) {
  const auto advice = [](const Error& error) -> std::string {
    try {
      NoExchange exchange;
      openai::with_retry_advice([&](http::Exchange&) { throw Error(error); })(exchange);
    } catch (const http::HttpError& advised) {
      EXPECT_EQ(advised.code(), error.code());
      return advised.fields().at(0).first + ": " + advised.fields().at(0).second;
    } catch (const Error&) {
      return "";
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(advice(Error(RH_QUEUE_FULL, "full")), "");
  EXPECT_EQ(advice(Error(RH_ENGINE_CRASHED, "died")), "");
  EXPECT_EQ(advice(Error(RH_OUT_OF_MEMORY, "too large")), "X-Should-Retry: false");
  EXPECT_EQ(advice(Error(RH_MODEL_NOT_CONVERTED, "gguf")), "X-Should-Retry: false");
}

openai::ImageRequest image_request(const std::string& body, bool exists = false) {
  return openai::read_image_request(JsonFields::parse(body), [&](const std::string&) { return exists; });
}

TEST(OpenAiImageRequest, is_read_with_its_defaults) {
  const auto image = image_request(R"({"prompt": "a cat"})");
  EXPECT_EQ(image.request.prompt, "a cat");
  EXPECT_EQ(image.request.images, 1);
  EXPECT_FALSE(image.request.width || image.request.model || image.request.engine || image.request.steps);
  EXPECT_EQ(image.quality, "medium");
  EXPECT_FALSE(image.by_address || image.stream);
}

TEST(OpenAiImageRequest, takes_sizes_and_nothing_like_them) {
  const auto image = image_request(R"({"prompt": "a", "size": "1792x1024"})");
  EXPECT_EQ(image.request.width, 1792);
  EXPECT_EQ(image.request.height, 1024);
  for (const char* size :
       {"", "x", "5", "5x", "x5", "5x5x5", "5 x5", "+5x5", "-5x5", "0x10x", "999999x5", "5X5", "٥x٥"})
    EXPECT_THROW(image_request(json{{"prompt", "a"}, {"size", size}}.dump()), Error) << size;
}

TEST(OpenAiImageRequest, gives_names_of_openai_to_the_default_model_unless_there_is_one) {
  const std::string body = R"({"prompt": "a", "model": "dall-e-3"})";
  EXPECT_EQ(image_request(body).alias, "dall-e-3");
  EXPECT_EQ(image_request(body).request.model, std::nullopt);
  EXPECT_TRUE(image_request(body).by_address);
  EXPECT_EQ(image_request(body, true).request.model, "dall-e-3");
  EXPECT_EQ(image_request(body, true).alias, std::nullopt);
  EXPECT_FALSE(image_request(R"({"prompt": "a", "model": "gpt-image-1"})").by_address);
}

TEST(OpenAiImageRequest, turns_quality_into_steps) {
  EXPECT_EQ(openai::steps_of_quality("medium", 8), 8u);
  EXPECT_EQ(openai::steps_of_quality("low", 8), 4u);
  EXPECT_EQ(openai::steps_of_quality("high", 8), 12u);
  EXPECT_EQ(openai::steps_of_quality("low", 1), 1u);
  EXPECT_EQ(openai::steps_of_quality("high", 50), 50u);
}

TEST(RequestFields, take_an_engine_from_field_or_suffix_but_not_two) {
  const auto read = [](const std::string& body) {
    GenerateRequest request;
    const JsonFields fields = JsonFields::parse(body);
    take_engine_fields(fields, request);
    take_model_field(fields, request);
    return request;
  };
  EXPECT_EQ(read(R"({"model": "m+e"})").engine, "e");
  EXPECT_EQ(read(R"({"model": "m+e", "engine": "e"})").model, "m");
  EXPECT_THROW(read(R"({"model": "m+e", "engine": "f"})"), Error);
  const GenerateRequest all =
      read(R"({"steps": 3, "guidance": 2, "seed": -1, "sampler": "euler", "negative_prompt": ""})");
  EXPECT_EQ(all.steps, 3);
  EXPECT_EQ(all.guidance, 2);
  EXPECT_EQ(all.seed, -1);
  EXPECT_EQ(all.negative_prompt, "");
}

TEST(RequestFields, take_keep_alive_as_text_or_number) {
  const auto read = [](const std::string& body) { return keep_alive_field(JsonFields::parse(body)); };
  EXPECT_EQ(read("{}"), std::nullopt);
  EXPECT_EQ(read(R"({"keep_alive": 2.5})"), KeepAlive(2500));
  EXPECT_EQ(read(R"({"keep_alive": "5m"})"), KeepAlive(300'000));
  EXPECT_THROW(read(R"({"keep_alive": []})"), Error);
  EXPECT_THROW(read(R"({"keep_alive": "soon"})"), Error);
}

TEST(Infotext, is_read_into_prompts_and_pairs) {
  EXPECT_THAT(
      a1111::parse_infotext("a cat,\non two lines\nNegative prompt: rain\nand snow\n"
                            "Steps: 8, Sampler: Euler, Size: 64x32, Model: \"a, \\\"b\\\": c\", Engine: x"),
      ElementsAre(Pair("Prompt", "a cat,\non two lines"), Pair("Negative prompt", "rain\nand snow"),
                  Pair("Steps", "8"), Pair("Sampler", "Euler"), Pair("Size", "64x32"), Pair("Size-1", "64"),
                  Pair("Size-2", "32"), Pair("Model", "a, \"b\": c"), Pair("Engine", "x")));
}

TEST(Infotext, takes_a_last_line_of_few_pairs_for_prompt) {
  EXPECT_THAT(a1111::parse_infotext("a cat\ntime: noon, place: sea"),
              ElementsAre(Pair("Prompt", "a cat\ntime: noon, place: sea"), Pair("Negative prompt", "")));
  EXPECT_THAT(a1111::parse_infotext(""), ElementsAre(Pair("Prompt", ""), Pair("Negative prompt", "")));
}

TEST(Infotext, of_any_bytes_ends) {
  for (const std::string text : {":::", ",,,", "a: \"b", "a: \"\\", ": , : , : ", "\n\n\n", "a:b:c,d:e,f:"})
    EXPECT_GE(a1111::parse_infotext(text).size(), 2u) << text;
  EXPECT_GE(a1111::parse_infotext(std::string(200'000, ',') + std::string(200'000, ':')).size(), 2u);
}

TEST(CfgScale, is_guidance_and_one) {
  EXPECT_EQ(a1111::guidance_of_cfg_scale(7), 6);
  EXPECT_EQ(a1111::guidance_of_cfg_scale(1), 0);
  EXPECT_EQ(a1111::guidance_of_cfg_scale(0.5), 0);
  EXPECT_EQ(a1111::guidance_of_cfg_scale(-1), -2) << "for make_plan to refuse";
  EXPECT_EQ(a1111::cfg_scale_of_guidance(4), 5);
}

TEST(ImageText, is_base64_with_or_without_a_data_address) {
  EXPECT_EQ(decode_image_text("aGVsbG8=", "image"), "hello");
  EXPECT_EQ(decode_image_text("data:image/png;base64,aGVsbG8=", "image"), "hello");
  for (const json& wrong : {json(""), json("data:image/png,aGVsbG8="), json("data:;base64"), json("a"),
                            json(5), json("aGVs bG8=")})
    EXPECT_THROW(decode_image_text(wrong, "image"), Error) << wrong;
}

}  // namespace
}  // namespace roundhouse::host
