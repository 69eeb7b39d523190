// SPDX-License-Identifier: Apache-2.0
// Reads PNG files for tests.
#include "tests/host/images/png_reader.h"

#include <png.h>

#include <csetjmp>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace roundhouse::test {
namespace {

struct Source {
  const std::vector<std::uint8_t>* bytes;
  std::size_t offset = 0;
};

void on_read(png_structp png, png_bytep data, png_size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (source->bytes->size() - source->offset < size) png_error(png, "truncated");
  std::memcpy(data, source->bytes->data() + source->offset, size);
  source->offset += size;
}

bool read_all(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  return true;
}

std::string to_utf8(const std::string& latin1) {
  std::string utf8;
  for (const char c : latin1) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8.push_back(c);
    } else {
      utf8.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      utf8.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return utf8;
}

PngContent content_of(png_structp png, png_infop info) {
  PngContent content;
  content.width = png_get_image_width(png, info);
  content.height = png_get_image_height(png, info);
  if (png_get_color_type(png, info) != PNG_COLOR_TYPE_RGB || png_get_bit_depth(png, info) != 8) {
    throw std::runtime_error("not an 8-bit RGB image");
  }
  png_bytepp rows = png_get_rows(png, info);
  for (std::uint32_t row = 0; row < content.height; ++row) {
    content.rgb.insert(content.rgb.end(), rows[row], rows[row] + std::size_t{content.width} * 3);
  }
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(png, info, &texts, &count);
  for (int i = 0; i < count; ++i) {
    const bool international = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    content.texts[texts[i].key] = international ? texts[i].text : to_utf8(texts[i].text);
    content.international[texts[i].key] = international;
  }
  return content;
}

}  // namespace

PngContent read_png(const std::vector<std::uint8_t>& bytes) {
  if (bytes.size() < 8 || png_sig_cmp(bytes.data(), 0, 8) != 0) throw std::runtime_error("no PNG signature");
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  Source source{&bytes};
  png_set_read_fn(png, &source, on_read);
  PngContent content;
  std::string error;
  if (read_all(png, info)) {
    try {
      content = content_of(png, info);
    } catch (const std::runtime_error& problem) {
      error = problem.what();
    }
  } else {
    error = "damaged PNG";
  }
  png_destroy_read_struct(&png, &info, nullptr);
  if (!error.empty()) throw std::runtime_error(error);
  return content;
}

PngContent read_png(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot read " + file.string());
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
  return read_png(bytes);
}

}  // namespace roundhouse::test
