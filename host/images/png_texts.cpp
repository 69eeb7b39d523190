// SPDX-License-Identifier: Apache-2.0
// Reads the chunks around the pixels.
#include "host/images/png_texts.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>

#include "host/images/png_chunks.h"
#include "host/log/terminal_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr png_uint_32 kMaximumSide = 16384;
constexpr png_uint_32 kMaximumChunks = 100;
constexpr png_alloc_size_t kMaximumChunkBytes = png_alloc_size_t{4} << 20;
constexpr std::size_t kSignature = 8;

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view rest;
  std::array<char, 128> error{};  // no allocation between setjmp and longjmp

  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_read_error(png_structp png, png_const_charp message) {
  auto& error = static_cast<Reader*>(png_get_error_ptr(png))->error;
  std::strncpy(error.data(), message, error.size() - 1);
  png_longjmp(png, 1);
}

void on_read_warning(png_structp, png_const_charp) {
}

void on_read(png_structp png, png_bytep data, png_size_t size) {
  auto& rest = static_cast<Reader*>(png_get_io_ptr(png))->rest;
  if (rest.size() < size) png_error(png, "it ends too early");
  std::memcpy(data, rest.data(), size);
  rest.remove_prefix(size);
}

// Everything that may jump, in a frame without destructors. Pixels are passed over.
bool read_chunks(Reader& reader) {
  png_structp png = reader.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &reader, on_read);
  png_set_user_limits(png, kMaximumSide, kMaximumSide);
  png_set_chunk_cache_max(png, kMaximumChunks);
  png_set_chunk_malloc_max(png, kMaximumChunkBytes);
  png_read_info(png, reader.info);
  png_read_update_info(png, reader.info);  // png_read_end passes over pixels only when reading them has begun
  png_read_end(png, reader.info);
  return true;
}

std::string utf8_of_latin1(std::string_view latin1) {
  std::string utf8;
  utf8.reserve(latin1.size());
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

}  // namespace

ImageTexts read_png_texts(std::string_view bytes) {
  const auto refuse = [](const std::string& why) { throw Error(RH_INVALID_ARGUMENT, why); };
  const auto* begin = reinterpret_cast<png_const_bytep>(bytes.data());
  if (bytes.size() < kSignature || png_sig_cmp(begin, 0, kSignature) != 0) refuse("is not a PNG file");
  if (const std::string fault = scan_png_chunks(bytes).fault; !fault.empty())
    refuse("is a damaged PNG: " + fault);
  Reader reader;
  reader.rest = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_read_error, on_read_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) throw Error(RH_OUT_OF_MEMORY, "no memory to read it");
  if (!read_chunks(reader)) refuse(std::string("is a damaged PNG: ") + reader.error.data());

  png_textp chunks = nullptr;
  int count = 0;
  png_get_text(reader.png, reader.info, &chunks, &count);
  ImageTexts texts;
  for (int i = 0; i < count; ++i) {
    const bool international = chunks[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    const std::string_view text = chunks[i].text == nullptr ? "" : chunks[i].text;
    // The others are Latin-1 by the rules; programs write UTF-8 there all the same, and Latin-1 that is UTF-8
    // by chance is rare.
    const bool as_it_is = international || is_utf8(text);
    texts.emplace_back(chunks[i].key, as_it_is ? std::string(text) : utf8_of_latin1(text));
  }
  return texts;
}

}  // namespace roundhouse::host
