// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE
#include <new>

#include <jpeglib.h>

#include "host/images/encoders.h"
#include "host/images/file_texts.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMostSegment = 65533;  // what a marker's 16-bit length leaves for its content
constexpr int kFullColour = 90;              // from this quality up colours are stored for every pixel

struct JpegEncoder {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_destination_mgr destination{};
  std::jmp_buf jump{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  std::array<JOCTET, 16384> buffer{};
  std::vector<std::uint8_t> bytes;
  std::array<std::string, 2> segments;  // EXIF and XMP

  JpegEncoder() = default;
  JpegEncoder(const JpegEncoder&) = delete;
  JpegEncoder& operator=(const JpegEncoder&) = delete;
  ~JpegEncoder() { jpeg_destroy_compress(&info); }
};

JpegEncoder& self_of(void* client_data) {
  return *static_cast<JpegEncoder*>(client_data);
}

void on_encode_error(j_common_ptr info) {
  JpegEncoder& encoder = self_of(info->client_data);
  info->err->format_message(info, encoder.message.data());
  std::longjmp(encoder.jump, 1);
}

void on_encode_message(j_common_ptr, int) {
}

void begin_buffer(j_compress_ptr info) {
  JpegEncoder& encoder = self_of(info->client_data);
  encoder.destination.next_output_byte = encoder.buffer.data();
  encoder.destination.free_in_buffer = encoder.buffer.size();
}

// No exception may cross libjpeg's frames.
bool keep(JpegEncoder& encoder, std::size_t count) {
  try {
    encoder.bytes.insert(encoder.bytes.end(), encoder.buffer.data(), encoder.buffer.data() + count);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void flush(j_compress_ptr info, std::size_t count) {
  JpegEncoder& encoder = self_of(info->client_data);
  if (!keep(encoder, count)) {
    fmt::format_to_n(encoder.message.data(), encoder.message.size() - 1, "out of memory");
    std::longjmp(encoder.jump, 1);
  }
  begin_buffer(info);
}

boolean on_full(j_compress_ptr info) {
  flush(info, self_of(info->client_data).buffer.size());
  return TRUE;
}

void on_end(j_compress_ptr info) {
  const JpegEncoder& encoder = self_of(info->client_data);
  flush(info, encoder.buffer.size() - encoder.destination.free_in_buffer);
}

// Everything that may jump, in a frame without destructors.
bool compress(JpegEncoder& encoder, const Image& image, int quality) {
  jpeg_compress_struct& info = encoder.info;
  if (setjmp(encoder.jump) != 0) return false;
  jpeg_create_compress(&info);
  info.dest = &encoder.destination;
  info.image_width = image.width;
  info.image_height = image.height;
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.dct_method = JDCT_ISLOW;
  info.optimize_coding = TRUE;
  if (quality >= kFullColour) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&info, TRUE);
  for (const std::string& segment : encoder.segments) {
    if (segment.empty() || segment.size() > kMostSegment) continue;
    jpeg_write_marker(&info, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(segment.data()),
                      static_cast<unsigned int>(segment.size()));
  }
  const std::size_t row_bytes = std::size_t{image.width} * 3;
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<JSAMPROW>(image.rgb.data() + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

}  // namespace

std::vector<std::uint8_t> encode_jpeg(const Image& image, int quality, const ImageTexts& texts) {
  if (image.width > JPEG_MAX_DIMENSION || image.height > JPEG_MAX_DIMENSION) {
    throw Error(RH_INVALID_DIMENSION, fmt::format("jpeg: is {}x{}, expected sides of at most {}", image.width,
                                                  image.height, JPEG_MAX_DIMENSION));
  }
  JpegEncoder encoder;
  encoder.info.err = jpeg_std_error(&encoder.errors);
  encoder.info.client_data = &encoder;
  encoder.errors.error_exit = on_encode_error;
  encoder.errors.emit_message = on_encode_message;
  encoder.destination.init_destination = begin_buffer;
  encoder.destination.empty_output_buffer = on_full;
  encoder.destination.term_destination = on_end;
  if (std::string exif = exif_of_texts(texts); !exif.empty())
    encoder.segments[0] = std::string("Exif\0\0", 6) + exif;
  if (std::string xmp = xmp_of_texts(texts); !xmp.empty())
    encoder.segments[1] = std::string("http://ns.adobe.com/xap/1.0/\0", 29) + xmp;
  if (!compress(encoder, image, quality))
    throw Error(RH_INTERNAL, std::string("jpeg: ") + encoder.message.data());
  return std::move(encoder.bytes);
}

}  // namespace roundhouse::host
