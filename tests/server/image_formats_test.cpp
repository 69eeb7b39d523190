// SPDX-License-Identifier: Apache-2.0
// Images as PNG, JPEG and WebP in every dialect that offers them, and what clients read from them.
#include <gmock/gmock.h>

#include <map>

#include "host/images/read_image.h"
#include "host/transport/base64.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using host::ImageFormat;
using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

class ImageFormats : public DaemonTest {
 protected:
  // The file in base64, whose format must be `format`, with what it tells about itself.
  static std::map<std::string, std::string> texts_of(const json& base64, ImageFormat format) {
    const std::string bytes = host::base64_decoded(base64.get<std::string>()).value();
    EXPECT_EQ(host::format_of_bytes(bytes), format);
    EXPECT_EQ(host::read_image(bytes, "image").image.width, 64U);
    std::map<std::string, std::string> texts;
    for (const auto& [keyword, text] : host::read_image_texts(bytes, "image"))
      texts[keyword] = text;
    return texts;
  }
  static void expect_made_by(const std::map<std::string, std::string>& texts) {
    EXPECT_THAT(texts.at("parameters"), HasSubstr("a red circle"));
    EXPECT_EQ(json::parse(texts.at("roundhouse")).at("engine"), "testcard");
  }
  static json card(json more) {
    json body = test_card();
    body["prompt"] = "a red circle";
    body.update(more);
    return body;
  }
};

TEST_F(ImageFormats, of_the_native_route) {
  for (const char* format : {"png", "jpeg", "webp"}) {
    const json answer = post("/generate", card({{"exact", true}, {"format", format}})).json();
    EXPECT_EQ(answer.at("image").at("mode"), format);
    expect_made_by(texts_of(answer.at("image").at("base64"), *host::image_format(format)));
  }
  const auto size_at = [&](int quality) {
    const Answer answer =
        post("/generate", card({{"exact", true}, {"format", "jpeg"}, {"quality", quality}}));
    return answer.json().at("image").at("base64").get<std::string>().size();
  };
  EXPECT_LT(size_at(10), size_at(100));
  for (const json& bad : {json{{"format", "gif"}}, json{{"format", "png"}, {"quality", 50}},
                          json{{"quality", 50}}, json{{"format", "jpeg"}, {"quality", 101}}})
    EXPECT_EQ(post("/generate", card(bad)).status, 400) << bad;
}

TEST_F(ImageFormats, of_openai) {
  const json base = {{"prompt", "a red circle"}, {"engine", "testcard"}, {"size", "64x64"}};
  const auto with = [&](const json& more) {
    json body = base;
    body.update(more);
    return body;
  };
  for (const char* format : {"png", "jpeg", "webp"}) {
    const json answer = post("/v1/images/generations", with({{"output_format", format}})).json();
    EXPECT_EQ(answer.at("output_format"), format);
    expect_made_by(texts_of(answer.at("data").at(0).at("b64_json"), *host::image_format(format)));
  }
  const json answer =
      post("/v1/images/generations", with({{"output_format", "webp"}, {"response_format", "url"}})).json();
  const std::string url = answer.at("data").at(0).at("url");
  EXPECT_TRUE(url.ends_with(".webp")) << url;
  const Answer file = get(url.substr(url.find("/v1/")));
  EXPECT_EQ(file.field("Content-Type"), "image/webp");
  EXPECT_EQ(host::format_of_bytes(file.body), ImageFormat::webp);
  EXPECT_EQ(post("/v1/images/generations", with({{"output_format", "gif"}})).status, 400);
}

TEST_F(ImageFormats, of_the_web_ui_for_one_request_and_for_all) {
  const auto ask_for = [&](const json& override) {
    const json body = {{"prompt", "a red circle"},
                       {"width", 64},
                       {"height", 64},
                       {"engine", "testcard"},
                       {"override_settings", override}};
    return post("/sdapi/v1/txt2img", body).json().at("images").at(0);
  };
  expect_made_by(texts_of(ask_for({{"samples_format", "jpg"}, {"jpeg_quality", 80}}), ImageFormat::jpeg));
  EXPECT_THAT(texts_of(ask_for({{"samples_format", "webp"}, {"enable_pnginfo", false}}), ImageFormat::webp),
              IsEmpty());
  expect_made_by(texts_of(ask_for(json::object()), ImageFormat::png));
  EXPECT_EQ(post("/sdapi/v1/options", {{"samples_format", "webp"}}).status, 200);
  EXPECT_EQ(get("/sdapi/v1/options").json().at("samples_format"), "webp");
  const json image = ask_for(json::object());
  expect_made_by(texts_of(image, ImageFormat::webp));
  const json info = post("/sdapi/v1/png-info", {{"image", image}}).json();
  EXPECT_THAT(info.at("info").get<std::string>(), HasSubstr("a red circle"));
  EXPECT_EQ(post("/sdapi/v1/options", {{"samples_format", "gif"}}).status, 400);
  EXPECT_EQ(get("/sdapi/v1/options").json().at("samples_format"), "webp");
}

}  // namespace
}  // namespace roundhouse::test
