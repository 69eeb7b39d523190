// SPDX-License-Identifier: Apache-2.0
// libjpeg-turbo's decoder with errors that come back as values.
#pragma once

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs FILE
#include <string>
#include <string_view>

#include <jpeglib.h>

namespace roundhouse::host {

class JpegDecoder {
 public:
  // Throws OUT_OF_MEMORY.
  explicit JpegDecoder(std::string_view bytes);
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  // Each returns false when `message` says what is wrong. Samples lie in the range of the file.
  bool read_head();
  bool begin(J_COLOR_SPACE space);
  bool read_row(std::uint8_t* row);

  const jpeg_decompress_struct& info() const { return info_; }
  std::string message() const { return message_.data(); }
  // The first APP1 that is EXIF, without its name; the packet of the first that is XMP.
  std::string exif() const;
  std::string xmp() const;
  std::string icc();

 private:
  static void on_error(j_common_ptr info);
  static void on_message(j_common_ptr info, int level);
  static void on_progress(j_common_ptr info);
  std::string marker(std::string_view name) const;

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

}  // namespace roundhouse::host
