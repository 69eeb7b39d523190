// SPDX-License-Identifier: Apache-2.0
// Tests of files of every format: the image and its texts come back.
#include "host/images/encode_image.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "host/images/file_texts.h"
#include "host/images/read_image.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr ImageFormat kFormats[] = {ImageFormat::png, ImageFormat::jpeg, ImageFormat::webp};

Image waves(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(x * 255 / width));
      image.rgb.push_back(static_cast<std::uint8_t>(y * 255 / height));
      image.rgb.push_back(static_cast<std::uint8_t>((x + y) * 127 / (width + height)));
    }
  }
  return image;
}

std::string encoded(const Image& image, const ImageEncoding& encoding, const ImageTexts& texts) {
  const std::vector<std::uint8_t> bytes = encode_image(image, encoding, texts);
  return {bytes.begin(), bytes.end()};
}

double mean_difference(const Image& a, const Image& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum / static_cast<double>(a.rgb.size());
}

TEST(EncodeImage, comes_back_in_every_format) {
  const Image image = waves(67, 45);
  for (const ImageFormat format : kFormats) {
    SCOPED_TRACE(name_of(format));
    const std::string bytes = encoded(image, {format, std::nullopt}, {});
    EXPECT_EQ(format_of_bytes(bytes), format);
    const DecodedImage read = read_image(bytes, "image");
    ASSERT_EQ(read.image.width, 67U);
    ASSERT_EQ(read.image.height, 45U);
    EXPECT_THAT(read.alpha, IsEmpty());
    EXPECT_LE(mean_difference(read.image, image), format == ImageFormat::png ? 0 : 2);
    EXPECT_THAT(read_image_texts(bytes, "image"), IsEmpty());
    EXPECT_EQ(encoded(image, {format, std::nullopt}, {}), bytes);
  }
}

TEST(EncodeImage, loses_less_at_a_higher_quality) {
  const Image image = waves(64, 64);
  for (const ImageFormat format : {ImageFormat::jpeg, ImageFormat::webp}) {
    const std::string small = encoded(image, {format, 5}, {}), large = encoded(image, {format, 100}, {});
    EXPECT_LT(small.size(), large.size());
    EXPECT_GT(mean_difference(read_image(small, "image").image, image),
              mean_difference(read_image(large, "image").image, image));
    EXPECT_NO_THROW(encoded(image, {format, 0}, {}));
  }
}

TEST(EncodeImage, carries_its_texts_in_every_format) {
  const std::string prompt = "a M\xC3\xBChle, \xE7\x8C\xAB \xF0\x9F\x90\xB1 & <b>\r\nSteps: 8";
  const std::string json = R"({"prompt": "a \"cat\" & <dog>", "n": 1})";
  for (const ImageFormat format : kFormats) {
    const std::string bytes =
        encoded(waves(16, 16), {format, std::nullopt}, {{"parameters", prompt}, {"roundhouse", json}});
    EXPECT_THAT(read_image_texts(bytes, "image"),
                UnorderedElementsAre(Pair("parameters", prompt), Pair("roundhouse", json)))
        << name_of(format);
    EXPECT_EQ(read_image(bytes, "image").image.width, 16U);
  }
}

TEST(EncodeImage, leaves_out_a_text_that_a_jpeg_has_no_room_for) {
  const ImageTexts texts = {{"parameters", std::string(40000, 'x')}, {"roundhouse", "{}"}};
  EXPECT_THAT(read_image_texts(encoded(waves(16, 16), {ImageFormat::jpeg, {}}, texts), "image"),
              UnorderedElementsAre(Pair("roundhouse", "{}")));
  EXPECT_EQ(read_image_texts(encoded(waves(16, 16), {ImageFormat::webp, {}}, texts), "image").size(), 2U);
}

TEST(EncodeImage, refuses_samples_that_are_not_as_many_as_the_size) {
  for (const ImageFormat format : kFormats) {
    EXPECT_THROW(encoded(Image{2, 2, {1, 2, 3}}, {format, {}}, {}), Error);
    EXPECT_THROW(encoded(Image{0, 2, {}}, {format, {}}, {}), Error);
  }
}

TEST(EncodeImage, refuses_a_side_that_the_format_cannot_say) {
  const Image wide{20000, 1, std::vector<std::uint8_t>(60000)};
  EXPECT_NO_THROW(encoded(wide, {ImageFormat::jpeg, {}}, {}));
  EXPECT_THROW(encoded(wide, {ImageFormat::webp, {}}, {}), Error);
  const Image wider{70000, 1, std::vector<std::uint8_t>(210000)};
  EXPECT_THROW(encoded(wider, {ImageFormat::jpeg, {}}, {}), Error);
}

TEST(FileTexts, of_a_comment_in_either_order_and_in_ascii_are_read) {
  // Little-endian, one directory with a pointer to one with a UserComment.
  const auto exif = [](const std::string& comment) {
    std::string bytes("II\x2a\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x1a\0\0\0\0\0\0\0", 26);
    bytes +=
        std::string("\x01\0\x86\x92\x07\0", 6) + static_cast<char>(comment.size()) + std::string(3, '\0');
    return bytes + std::string("\x2c\0\0\0\0\0\0\0", 8) + comment;
  };
  const ImageTexts expected = {{"parameters", "ab"}};
  EXPECT_EQ(texts_of_exif(exif(std::string("UNICODE\0a\0b\0", 12))), expected);
  EXPECT_EQ(texts_of_exif(exif(std::string("UNICODE\0\0a\0b", 12))), expected);
  EXPECT_EQ(texts_of_exif(exif(std::string("ASCII\0\0\0ab", 10))), expected);
  EXPECT_EQ(texts_of_exif(exif(std::string("\0\0\0\0\0\0\0\0ab\0\0", 12))), expected);
  EXPECT_THAT(texts_of_exif(exif("")), IsEmpty());
}

TEST(FileTexts, of_hostile_bytes_are_none) {
  const std::string exif = exif_of_texts({{"parameters", "text"}});
  for (std::size_t size = 0; size < exif.size(); ++size) {
    EXPECT_NO_THROW(texts_of_exif(exif.substr(0, size)));
    std::string changed = exif;
    changed[size] = static_cast<char>(changed[size] ^ 0xFF);
    EXPECT_NO_THROW(texts_of_exif(changed));
    EXPECT_NO_THROW(orientation_of_exif(changed));
  }
  const std::string xmp = xmp_of_texts({{"roundhouse", "text"}});
  for (std::size_t size = 0; size < xmp.size(); ++size)
    EXPECT_NO_THROW(texts_of_xmp(xmp.substr(0, size)));
}

TEST(FileTexts, that_xml_cannot_hold_are_left_out) {
  EXPECT_EQ(xmp_of_texts({{"parameters", "not here"}}), "");
  EXPECT_EQ(xmp_of_texts({{"1 bad <name>", "x"}}), "");
  EXPECT_EQ(texts_of_xmp(xmp_of_texts({{"k", std::string("a\x01\0b", 4)}})), (ImageTexts{{"k", "ab"}}));
}

TEST(ImageFormatNames, are_those_of_files_and_of_requests) {
  EXPECT_EQ(image_format("jpg"), ImageFormat::jpeg);
  EXPECT_EQ(image_format("jpeg"), ImageFormat::jpeg);
  EXPECT_EQ(image_format("JPEG"), std::nullopt);
  EXPECT_STREQ(extension_of(ImageFormat::jpeg), "jpg");
  EXPECT_EQ(media_type_of(ImageFormat::webp), "image/webp");
}

}  // namespace
}  // namespace roundhouse::host
