// SPDX-License-Identifier: Apache-2.0
// Tests of the readers of image files: files of other programs, damaged ones, and ones that are too large.
#include "host/images/read_image.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "host/images/decoders.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path folder() {
  return fs::path(ROUNDHOUSE_FIXTURES) / "images";
}

std::string file_content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const nlohmann::json& cases() {
  static const auto all = nlohmann::json::parse(file_content(folder() / "cases.json"));
  return all;
}

std::vector<std::uint8_t> of_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string refusal_of(std::string_view bytes, std::uint64_t most_pixels = kMostPixels) {
  try {
    read_image(bytes, "image", most_pixels);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT) << error.what();
    return error.what();
  }
  return "";
}

int worst_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  int worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(int{a[i]} - int{b[i]}));
  return worst;
}

TEST(ReadImage, gives_what_the_maker_of_each_file_says) {
  ASSERT_GT(cases().size(), 50U);
  for (const auto& [name, expected] : cases().items()) {
    SCOPED_TRACE(name);
    const DecodedImage read = read_image(file_content(folder() / name), "image");
    EXPECT_EQ(read.image.width, expected.at("width"));
    EXPECT_EQ(read.image.height, expected.at("height"));
    const auto rgb = of_hex(expected.at("rgb"));
    ASSERT_EQ(read.image.rgb.size(), rgb.size());
    EXPECT_LE(worst_difference(read.image.rgb, rgb), expected.at("tolerance").get<int>());
    EXPECT_EQ(read.alpha, of_hex(expected.at("alpha")));
    EXPECT_EQ(nlohmann::json(read.notes), expected.at("notes"));
  }
}

TEST(ReadImage, tells_the_format_by_the_content) {
  EXPECT_EQ(read_image(file_content(folder() / "rgb8.png"), "image").format, ImageFormat::png);
  EXPECT_EQ(read_image(file_content(folder() / "rgb.jpg"), "image").format, ImageFormat::jpeg);
  EXPECT_EQ(read_image(file_content(folder() / "lossy.webp"), "image").format, ImageFormat::webp);
  for (const char* other : {"", "GIF89a....................", "BM", "\x89PNG", "RIFF1234WAVEfmt ", "<svg/>"})
    EXPECT_EQ(refusal_of(other), "image: is not a PNG, JPEG or WebP image");
}

TEST(ReadImage, refuses_a_file_that_ends_early_and_says_where) {
  for (const char* name : {"rgb8.png", "gray16-interlaced.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg",
                           "lossy.webp", "alpha.webp", "animated.webp"}) {
    const std::string whole = file_content(folder() / name);
    // A JPEG's last bytes may be padding and the mark of its end, which no pixel needs.
    const std::size_t needed = whole.size() - (whole.starts_with("\xff\xd8") ? 8 : 1);
    for (std::size_t size = 12; size <= needed; ++size)
      EXPECT_THAT(refusal_of(std::string_view(whole).substr(0, size)), HasSubstr("damaged")) << name << size;
  }
  const std::string png = file_content(folder() / "rgb8.png");
  EXPECT_THAT(refusal_of(png.substr(0, 60)), HasSubstr("after 60 bytes"));
  const std::string jpeg = file_content(folder() / "rgb.jpg");
  EXPECT_THAT(refusal_of(jpeg.substr(0, jpeg.size() - 40)), HasSubstr("of 9"));
}

// Some bytes of each file; the fuzzer takes all of them.
TEST(ReadImage, never_does_harm_with_a_byte_changed) {
  std::size_t at = 0;
  for (const auto& [name, expected] : cases().items()) {
    const std::string whole = file_content(folder() / name);
    for (at %= 17; at < whole.size(); at += 17) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (at % 2 == 0 ? 0x01 : 0xFF));
      try {
        const DecodedImage read = read_image(changed, "image", 1 << 16);
        EXPECT_EQ(read.image.rgb.size(), std::size_t{3} * read.image.width * read.image.height);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT) << name << " " << error.what();
      }
    }
  }
}

// A PNG that states this size and has no pixels.
std::string png_of_size(std::uint32_t width, std::uint32_t height) {
  std::string png = file_content(folder() / "rgb8.png");
  for (int i = 0; i < 4; ++i) {
    png[16 + static_cast<std::size_t>(i)] = static_cast<char>(width >> (24 - 8 * i));
    png[20 + static_cast<std::size_t>(i)] = static_cast<char>(height >> (24 - 8 * i));
  }
  std::uint32_t crc = 0xFFFFFFFF;  // PNG annex D
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<std::uint8_t>(png[i]);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
  }
  crc = ~crc;
  for (int i = 0; i < 4; ++i)
    png[29 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
  return png;
}

TEST(ReadImage, refuses_too_many_pixels_before_it_decodes_them) {
  EXPECT_EQ(refusal_of(png_of_size(100000, 100000)),
            "image: is 100000x100000, expected at most 67108864 pixels");
  EXPECT_THAT(refusal_of(png_of_size(0x7FFFFFFF, 0x7FFFFFFF)), HasSubstr("expected at most"));
  EXPECT_THAT(refusal_of(png_of_size(0, 5)), HasSubstr("image: "));
  for (const char* name : {"rgb8.png", "rgb.jpg", "lossy.webp"}) {
    const std::string whole = file_content(folder() / name);
    EXPECT_EQ(refusal_of(whole, 13 * 9 - 1), "image: is 13x9, expected at most 116 pixels");
    EXPECT_EQ(refusal_of(whole, 13 * 9), "");
  }
}

TEST(ReadImage, turns_by_every_orientation) {
  DecodedImage stored;
  stored.image = {2, 1, {1, 1, 1, 2, 2, 2}};
  stored.alpha = {10, 20};
  const auto turned = [&](int orientation) {
    DecodedImage image = stored;
    turn(image, orientation);
    EXPECT_EQ(image.image.width, orientation >= 5 ? 1U : 2U);
    return std::pair(int{image.image.rgb[0]}, int{image.alpha[0]});
  };
  for (const int kept : {1, 4, 5, 6})
    EXPECT_EQ(turned(kept), std::pair(1, 10)) << kept;
  for (const int swapped : {2, 3, 7, 8})
    EXPECT_EQ(turned(swapped), std::pair(2, 20)) << swapped;
}

}  // namespace
}  // namespace roundhouse::host
