// SPDX-License-Identifier: Apache-2.0
// Tests of the reader of PNG texts: what the encoder wrote comes back, and damage is refused.
#include "host/images/png_texts.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "host/images/encode_image.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

std::string png(const ImageTexts& texts) {
  const std::vector<std::uint8_t> bytes =
      encode_image({16, 16, std::vector<std::uint8_t>(std::size_t{16} * 16 * 3, 7)}, {}, texts);
  return {bytes.begin(), bytes.end()};
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body +
         big_endian(static_cast<std::uint32_t>(crc));
}

// `png` with chunks before its IEND, which is always the last 12 bytes.
std::string with_last(std::string png, const std::string& chunks) {
  return png.insert(png.size() - 12, chunks);
}

std::string packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string bytes(size, '\0');
  compress(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  bytes.resize(size);
  return bytes;
}

TEST(ImageTexts, come_back_as_they_were_written) {
  const ImageTexts texts = {{"parameters", "a M\xC3\xBChle\nSteps: 8"},
                            {"roundhouse", "{\"a\": \"\xE7\x8C\xAB\"}"}};
  EXPECT_EQ(read_png_texts(png(texts)), texts);
  EXPECT_THAT(read_png_texts(png({})), IsEmpty());
}

TEST(ImageTexts, are_found_after_the_pixels_too) {
  const std::string late = chunk("tEXt", std::string("late\0text", 9));
  EXPECT_THAT(read_png_texts(with_last(png({{"early", "x"}}), late)),
              ElementsAre(Pair("early", "x"), Pair("late", "text")));
}

TEST(ImageTexts, of_other_programs_are_utf8_where_they_can_be) {
  const std::string utf8 = chunk("tEXt", std::string("a\0", 2) + "na\xC3\xAFve \xE5\xA4\x9C");
  const std::string latin1 = chunk("tEXt", std::string("b\0", 2) + "na\xEFve");
  const std::string zipped = chunk("zTXt", std::string("c\0\0", 3) + packed("\xE5\xA4\x9C"));
  EXPECT_THAT(read_png_texts(with_last(png({}), utf8 + latin1 + zipped)),
              ElementsAre(Pair("a", "na\xC3\xAFve \xE5\xA4\x9C"), Pair("b", "na\xC3\xAFve"),
                          Pair("c", "\xE5\xA4\x9C")));
}

TEST(ImageTexts, of_a_compressed_chunk_are_unpacked_within_bounds) {
  const std::string small = chunk("zTXt", std::string("key\0\0", 5) + packed("packed text"));
  EXPECT_THAT(read_png_texts(with_last(png({}), small)), ElementsAre(Pair("key", "packed text")));
  const std::string bomb = chunk("zTXt", std::string("key\0\0", 5) + packed(std::string(64 << 20, 'a')));
  EXPECT_THAT(read_png_texts(with_last(png({{"ok", "yes"}}), bomb)), ElementsAre(Pair("ok", "yes")));
}

TEST(ImageTexts, beyond_the_hundredth_chunk_are_left_out) {
  std::string many;
  for (int i = 0; i < 1000; ++i)
    many += chunk("tEXt", std::string("k\0v", 3));
  EXPECT_LE(read_png_texts(with_last(png({}), many)).size(), 100u);
}

TEST(ImageTexts, of_a_damaged_file_are_refused) {
  const std::string whole = png({{"parameters", "a cat"}});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(read_png_texts(std::string_view(whole).substr(0, size)), Error) << size;
  EXPECT_THROW(read_png_texts("GIF89a and more than eight bytes"), Error);
  std::string huge = whole;
  huge.replace(8, 25,
               chunk("IHDR", big_endian(1u << 30) + big_endian(16) + std::string("\x08\x02\0\0\0", 5)));
  EXPECT_THROW(read_png_texts(huge), Error);
}

TEST(ImageTexts, with_any_byte_changed_never_do_harm) {
  const std::string whole = png({{"parameters", "a cat"}, {"z", "\xE7\x8C\xAB"}});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x5A);
    try {
      read_png_texts(changed);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT) << at << error.what();
    }
  }
}

}  // namespace
}  // namespace roundhouse::host
