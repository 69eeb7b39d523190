// SPDX-License-Identifier: Apache-2.0
// PNG as 8-bit sRGB, row by row where the file allows.
#include <fmt/format.h>
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>
#include <optional>

#include "host/images/colour.h"
#include "host/images/decoders.h"
#include "host/images/png_chunks.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr png_alloc_size_t kMostChunkBytes = png_alloc_size_t{8} << 20;  // a profile, unpacked

struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view rest;
  std::array<char, 128> error{};  // no allocation between setjmp and longjmp

  png_uint_32 width = 0, height = 0, row = 0;
  int depth = 0, kind = 0, passes = 1;
  bool gray = false, alpha = false, wide = false;  // wide: 16 bits a sample come out of libpng
  std::size_t row_bytes = 0;
  std::unique_ptr<ColourTransform> colours;
  std::vector<std::uint8_t> rows;     // one row; all of them of an interlaced file
  std::vector<std::uint8_t> samples;  // of a row, without alpha
  RawImage raw;

  PngDecoder() = default;
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder() { png_destroy_read_struct(&png, &info, nullptr); }
};

[[noreturn]] void on_decode_error(png_structp png, png_const_charp message) {
  auto& error = static_cast<PngDecoder*>(png_get_error_ptr(png))->error;
  std::strncpy(error.data(), message, error.size() - 1);
  png_longjmp(png, 1);
}

void on_decode_warning(png_structp, png_const_charp) {
}

void on_decode_read(png_structp png, png_bytep data, png_size_t size) {
  auto& rest = static_cast<PngDecoder*>(png_get_io_ptr(png))->rest;
  if (rest.size() < size) png_error(png, "it ends too early");
  std::memcpy(data, rest.data(), size);
  rest.remove_prefix(size);
}

// The three functions below may jump: frames without destructors.
bool read_head(PngDecoder& decoder) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &decoder, on_decode_read);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ours counts pixels
  png_set_chunk_malloc_max(png, kMostChunkBytes);
  png_read_info(png, decoder.info);
  png_get_IHDR(png, decoder.info, &decoder.width, &decoder.height, &decoder.depth, &decoder.kind, nullptr,
               nullptr, nullptr);
  return true;
}

bool set_form(PngDecoder& decoder) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_expand(png);
  if (decoder.wide) {
    png_set_swap(png);
  } else {
    png_set_scale_16(png);
  }
  if (!decoder.gray) png_set_gray_to_rgb(png);
  decoder.passes = png_set_interlace_handling(png);
  png_read_update_info(png, decoder.info);
  decoder.alpha = (png_get_color_type(png, decoder.info) & PNG_COLOR_MASK_ALPHA) != 0;
  decoder.row_bytes = png_get_rowbytes(png, decoder.info);
  return true;
}

// Reads the next row of a pass into `row`, or with null what comes after the last.
bool read_row(PngDecoder& decoder, png_bytep row) {
  png_structp png = decoder.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  if (row != nullptr) {
    png_read_row(png, row, nullptr);
  } else {
    png_read_end(png, decoder.info);
  }
  return true;
}

[[noreturn]] void refuse_png(const std::string& why) {
  throw Error(RH_INVALID_ARGUMENT, "is a damaged PNG: " + why);
}

// The primaries that gAMA and cHRM state; none without gAMA and for sRGB's own.
std::optional<Primaries> stated_primaries(const PngDecoder& decoder) {
  Primaries stated = kSrgbPrimaries;
  if (png_get_gAMA(decoder.png, decoder.info, &stated.gamma) == 0 || stated.gamma <= 0) return std::nullopt;
  Primaries found = stated;
  if (png_get_cHRM(decoder.png, decoder.info, &found.white_x, &found.white_y, &found.red_x, &found.red_y,
                   &found.green_x, &found.green_y, &found.blue_x, &found.blue_y) != 0)
    stated = found;
  return is_srgb_like(stated) ? std::nullopt : std::optional(stated);
}

// The transform of the file's own colours, if it needs one, and whether rows stay gray for it.
void choose_colours(PngDecoder& decoder) {
  const bool gray_file = (decoder.kind & PNG_COLOR_MASK_COLOR) == 0;
  const bool wide_file = decoder.depth == 16;
  const SampleForm gray = wide_file ? SampleForm::gray16 : SampleForm::gray8;
  const SampleForm rgb = wide_file ? SampleForm::rgb16 : SampleForm::rgb8;
  png_charp name = nullptr;
  png_bytep profile = nullptr;
  png_uint_32 size = 0;
  int method = 0;
  const std::string_view icc = png_get_iCCP(decoder.png, decoder.info, &name, &method, &profile, &size) != 0
                                   ? std::string_view(reinterpret_cast<const char*>(profile), size)
                                   : std::string_view();
  if (!icc.empty()) {
    if (gray_file) decoder.colours = ColourTransform::of_profile(icc, gray);
    decoder.gray = decoder.colours != nullptr;
    if (!decoder.gray) decoder.colours = ColourTransform::of_profile(icc, rgb);
    if (!decoder.colours) decoder.raw.decoded.notes.emplace_back("its colour profile cannot be used");
  } else if (png_get_valid(decoder.png, decoder.info, PNG_INFO_sRGB) == 0) {
    if (const auto primaries = stated_primaries(decoder)) {
      decoder.gray = gray_file;
      decoder.colours = ColourTransform::of_primaries(*primaries, gray_file ? gray : rgb);
      if (!decoder.colours) decoder.raw.decoded.notes.emplace_back("its gamma and primaries cannot be used");
    }
  }
  decoder.gray = decoder.gray && decoder.colours != nullptr;
  decoder.wide = wide_file && decoder.colours != nullptr;
}

// Of libpng's row: alpha goes to the image's, the rest to decoder.samples.
void split_row(PngDecoder& decoder, const std::uint8_t* row) {
  const std::size_t sample = decoder.wide ? 2 : 1;
  const std::size_t colour = (decoder.gray ? 1 : 3) * sample;
  const std::size_t pixel = colour + (decoder.alpha ? sample : 0);
  decoder.samples.resize(colour * decoder.width);
  std::vector<std::uint8_t>& alpha = decoder.raw.decoded.alpha;
  for (std::size_t x = 0; x < decoder.width; ++x) {
    const std::uint8_t* from = row + x * pixel;
    std::memcpy(decoder.samples.data() + x * colour, from, colour);
    if (!decoder.alpha) continue;
    std::uint16_t value = from[colour];
    if (decoder.wide) {
      std::memcpy(&value, from + colour, 2);
      value = static_cast<std::uint16_t>((std::uint32_t{value} * 255 + 32767) / 65535);
    }
    alpha.push_back(static_cast<std::uint8_t>(value));
  }
}

void take_row(PngDecoder& decoder, const std::uint8_t* row) {
  std::vector<std::uint8_t>& rgb = decoder.raw.decoded.image.rgb;
  if (!decoder.colours && !decoder.alpha) {
    rgb.insert(rgb.end(), row, row + decoder.row_bytes);
    return;
  }
  split_row(decoder, row);
  const std::size_t at = rgb.size();
  rgb.resize(at + std::size_t{3} * decoder.width);
  if (decoder.colours) {
    decoder.colours->row(decoder.samples.data(), rgb.data() + at, decoder.width);
  } else {
    std::memcpy(rgb.data() + at, decoder.samples.data(), decoder.samples.size());
  }
}

// Memory grows with what is there, not with what the head claims, but for interlaced files.
void read_pixels(PngDecoder& decoder) {
  const bool interlaced = decoder.passes > 1;
  const auto next = [&](png_bytep row) {
    if (read_row(decoder, row)) return;
    refuse_png(fmt::format("row {} of {}: {}", decoder.row + 1, decoder.height, decoder.error.data()));
  };
  decoder.rows.resize(decoder.row_bytes * (interlaced ? decoder.height : 1));
  for (int pass = 0; pass < decoder.passes; ++pass) {
    for (decoder.row = 0; decoder.row < decoder.height; ++decoder.row) {
      next(decoder.rows.data() + (interlaced ? decoder.row_bytes * decoder.row : 0));
      if (!interlaced) take_row(decoder, decoder.rows.data());
    }
  }
  for (png_uint_32 row = 0; interlaced && row < decoder.height; ++row)
    take_row(decoder, decoder.rows.data() + decoder.row_bytes * row);
  if (!read_row(decoder, nullptr)) refuse_png(decoder.error.data());
}

}  // namespace

RawImage decode_png(std::string_view bytes, std::uint64_t most_pixels) {
  const PngChunks chunks = scan_png_chunks(bytes);
  PngDecoder decoder;
  decoder.rest = bytes;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_decode_error, on_decode_warning);
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) throw Error(RH_OUT_OF_MEMORY, "no memory to read it");
  if (!chunks.fault.empty()) refuse_png(chunks.fault);
  if (!read_head(decoder)) refuse_png(decoder.error.data());
  if (const std::string fault = size_fault(decoder.width, decoder.height, most_pixels); !fault.empty())
    throw Error(RH_INVALID_ARGUMENT, fault);
  choose_colours(decoder);
  if (!set_form(decoder)) refuse_png(decoder.error.data());
  DecodedImage& decoded = decoder.raw.decoded;
  decoded.format = ImageFormat::png;
  decoded.image.width = decoder.width;
  decoded.image.height = decoder.height;
  if (chunks.animated) decoded.notes.emplace_back("of its animation the first frame was taken");
  read_pixels(decoder);
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(decoder.png, decoder.info, &size, &exif) != 0)
    decoder.raw.exif.assign(reinterpret_cast<const char*>(exif), size);
  return std::move(decoder.raw);
}

}  // namespace roundhouse::host
