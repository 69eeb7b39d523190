// SPDX-License-Identifier: Apache-2.0
// Tests of the PNG encoder: what it refuses, and that a reader gets back what was given.
#include "host/images/encode_image.h"

#include <gmock/gmock.h>

#include "roundhouse/error.hpp"
#include "tests/host/images/png_reader.h"

namespace roundhouse::host {
namespace {

std::vector<std::uint8_t> encode_as_png(const Image& image, const ImageTexts& texts) {
  return encode_image(image, {}, texts);
}

Image gradient(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (const std::uint32_t value : {x * 3, y * 5, x * y + 7}) {
        image.rgb.push_back(static_cast<std::uint8_t>(value));
      }
    }
  }
  return image;
}

TEST(EncodePng, refuses_an_image_whose_bytes_do_not_match_its_size) {
  Image image = gradient(16, 16);
  image.rgb.pop_back();
  EXPECT_THROW(encode_as_png(image, {}), Error);
}

TEST(EncodePng, refuses_an_image_without_pixels) {
  EXPECT_THROW(encode_as_png(Image{0, 16, {}}, {}), Error);
  EXPECT_THROW(encode_as_png(Image{16, 0, {}}, {}), Error);
}

TEST(EncodePng, keeps_every_pixel_at_ragged_sizes) {
  for (const auto& [width, height] : {std::pair{1U, 1U}, {1U, 37U}, {37U, 1U}, {16U, 16U}, {255U, 129U}}) {
    const Image image = gradient(width, height);
    const test::PngContent content = test::read_png(encode_as_png(image, {}));
    EXPECT_EQ(content.width, width);
    EXPECT_EQ(content.height, height);
    EXPECT_EQ(content.rgb, image.rgb) << width << "x" << height;
  }
}

TEST(EncodePng, gives_the_same_bytes_for_the_same_image) {
  EXPECT_EQ(encode_as_png(gradient(64, 48), {{"a", "b"}}), encode_as_png(gradient(64, 48), {{"a", "b"}}));
}

TEST(EncodePng, writes_latin_1_as_tEXt_and_other_text_as_iTXt) {
  const std::string german = "M\xC3\xBChle, \xC3\xBF";  // U+00FC, U+00FF
  const std::string polish =
      "\xC5\x81\xC3\xB3"
      "d\xC5\xBA";  // U+0141: beyond Latin-1
  const std::string chinese = "\xE4\xB8\x80\xE5\x8F\xAA\xE7\x8C\xAB";
  const auto content = test::read_png(encode_as_png(
      gradient(8, 8),
      {{"plain", "a cat\nin two lines"}, {"german", german}, {"polish", polish}, {"chinese", chinese}}));
  EXPECT_EQ(content.texts.at("plain"), "a cat\nin two lines");
  EXPECT_EQ(content.texts.at("german"), german);
  EXPECT_EQ(content.texts.at("polish"), polish);
  EXPECT_EQ(content.texts.at("chinese"), chinese);
  EXPECT_FALSE(content.international.at("plain"));
  EXPECT_FALSE(content.international.at("german"));
  EXPECT_TRUE(content.international.at("polish"));
  EXPECT_TRUE(content.international.at("chinese"));
}

TEST(EncodePng, keeps_a_long_text_whole) {
  const std::string prompt(200'000, 'x');
  EXPECT_EQ(test::read_png(encode_as_png(gradient(8, 8), {{"parameters", prompt}})).texts.at("parameters"),
            prompt);
}

TEST(EncodePng, stores_bytes_that_are_not_utf_8_without_harm) {
  EXPECT_NO_THROW(test::read_png(encode_as_png(gradient(8, 8), {{"parameters", "ends early \xC3"}})));
}

}  // namespace
}  // namespace roundhouse::host
