// SPDX-License-Identifier: Apache-2.0
// Images from an image in every dialect: the same request whatever its words.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "host/images/encode_image.h"
#include "host/images/read_image.h"
#include "host/transport/base64.h"
#include "tests/server/daemon_test.h"

namespace roundhouse::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string apple() {
  std::ifstream file(std::string(ROUNDHOUSE_FIXTURES) + "/pocket/input-apple.png", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::uint8_t> pixels_of(const json& base64) {
  return host::read_image(host::base64_decoded(base64.get<std::string>()).value(), "image").image.rgb;
}

class InitImages : public DaemonTest {
 protected:
  // A form of texts and files.
  Answer post_form(const std::string& path, const std::vector<std::pair<std::string, std::string>>& parts) {
    std::string body;
    for (const auto& [name, content] : parts) {
      const bool file = name == "image" || name == "mask";
      body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"" +
              (file ? "; filename=\"a.png\"\r\nContent-Type: image/png" : "") + "\r\n\r\n" + content + "\r\n";
    }
    return ask(port(), "POST", path, body + "--b--\r\n",
               {{"Content-Type", "multipart/form-data; boundary=b"}});
  }
  json native(const json& more = json::object()) {
    json body = {{"prompt", "a blue cup"},
                 {"engine", "openblas"},
                 {"model", "pocket-turbo"},
                 {"width", 64},
                 {"height", 64},
                 {"steps", 4},
                 {"seed", 5},
                 {"exact", true},
                 {"format", "png"},
                 {"strength", 0.5},
                 {"init_image", base64_}};
    body.update(more);
    return body;
  }
  const std::string bytes_ = apple();
  const std::string base64_ = host::base64_encoded(bytes_);
};

TEST_F(InitImages, are_the_same_in_every_dialect) {
  const json first = post("/generate", native()).json();
  const auto expected = pixels_of(first.at("image").at("base64"));
  EXPECT_THAT(first.at("notes").dump(), HasSubstr("the init image of 256x256 was scaled to 64x64"));

  const json edit = post_form("/v1/images/edits", {{"image", bytes_},
                                                   {"prompt", "a blue cup"},
                                                   {"model", "pocket-turbo+openblas"},
                                                   {"size", "64x64"},
                                                   {"steps", "4"},
                                                   {"seed", "5"},
                                                   {"strength", "0.5"}})
                        .json();
  EXPECT_EQ(pixels_of(edit.at("data").at(0).at("b64_json")), expected) << edit.dump().substr(0, 200);

  const json web_ui = {{"prompt", "a blue cup"},
                       {"init_images", {"data:image/png;base64," + base64_}},
                       {"denoising_strength", 0.5},
                       {"width", 64},
                       {"height", 64},
                       {"steps", 4},
                       {"seed", 5},
                       {"cfg_scale", 1},
                       {"override_settings", {{"sd_model_checkpoint", "pocket-turbo+openblas"}}}};
  const json answer = post("/sdapi/v1/img2img", web_ui).json();
  EXPECT_EQ(pixels_of(answer.at("images").at(0)), expected);
  EXPECT_TRUE(answer.at("parameters").at("init_images").is_null());

  const json ollama = {{"model", "pocket-turbo+openblas"},
                       {"prompt", "a blue cup"},
                       {"images", {base64_}},
                       {"width", 64},
                       {"height", 64},
                       {"steps", 4},
                       {"options", {{"seed", 5}}},
                       {"strength", 0.5},
                       {"stream", false}};
  EXPECT_EQ(pixels_of(post("/api/generate", ollama).json().at("image")), expected);
}

TEST_F(InitImages, keep_what_a_mask_does_not_draw) {
  host::Image black{64, 64, std::vector<std::uint8_t>(std::size_t{3} * 64 * 64)};
  const auto mask = host::encode_image(black, {}, {});
  const std::string text = host::base64_encoded({reinterpret_cast<const char*>(mask.data()), mask.size()});
  const json one = post("/generate", native({{"mask", text}, {"strength", 1}})).json();
  const json other = post("/generate", native({{"mask", text}, {"prompt", "a dog"}, {"seed", 5}})).json();
  EXPECT_EQ(pixels_of(one.at("image").at("base64")), pixels_of(other.at("image").at("base64")));
}

TEST_F(InitImages, give_their_size_where_none_is_asked_for) {
  json body = native({{"exact", false}, {"steps", 1}});
  body.erase("width");
  body.erase("height");
  const json answer = post("/generate", body).json();
  EXPECT_EQ(answer.at("image").at("width"), 256);
  EXPECT_EQ(answer.at("image").at("height"), 256);
}

TEST_F(InitImages, that_are_none_are_refused_by_name) {
  const auto refusal = [&](const json& more) {
    const Answer answer = post("/generate", native(more));
    EXPECT_EQ(answer.status, 400);
    return answer.body;
  };
  EXPECT_THAT(refusal({{"init_image", "AAAA"}}), HasSubstr("init_image: is not a PNG, JPEG or WebP image"));
  EXPECT_THAT(refusal({{"init_image", "%"}}), HasSubstr("init_image: is not an image in base64"));
  EXPECT_THAT(refusal({{"init_image", host::base64_encoded(bytes_.substr(0, 500))}}),
              HasSubstr("ends too early"));
  EXPECT_THAT(refusal({{"mask", "AAAA"}}), HasSubstr("mask: is not a PNG, JPEG or WebP image"));
  EXPECT_THAT(refusal({{"init_image", nullptr}, {"mask", base64_}}),
              HasSubstr("mask: is of an image to begin with"));
  EXPECT_THAT(refusal({{"strength", 0}}), HasSubstr("strength"));
  const json card = {{"prompt", "x"}, {"engine", "testcard"}, {"init_image", base64_}, {"exact", true}};
  const Answer answer = post("/generate", card);
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("image-to-image"));
}

}  // namespace
}  // namespace roundhouse::test
