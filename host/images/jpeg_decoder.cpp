// SPDX-License-Identifier: Apache-2.0
#include "host/images/jpeg_decoder.h"

#include <jerror.h>

#include <cstdlib>
#include <cstring>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr int kMarkerExif = JPEG_APP0 + 1, kMarkerIcc = JPEG_APP0 + 2;
// A progressive file of a few kilobytes may state a hundred thousand scans of a huge image.
constexpr int kMostScans = 500;
constexpr std::string_view kExifName("Exif\0\0", 6);
constexpr std::string_view kXmpName("http://ns.adobe.com/xap/1.0/\0", 29);

}  // namespace

JpegDecoder::JpegDecoder(std::string_view bytes) {
  info_.err = jpeg_std_error(&errors_);
  info_.client_data = this;
  errors_.error_exit = on_error;
  errors_.emit_message = on_message;
  if (setjmp(jump_) != 0) throw Error(RH_OUT_OF_MEMORY, "no memory to read it");
  jpeg_create_decompress(&info_);
  info_.client_data = this;  // which creation has cleared
  progress_.progress_monitor = on_progress;
  info_.progress = &progress_;
  jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

JpegDecoder::~JpegDecoder() {
  jpeg_destroy_decompress(&info_);
}

void JpegDecoder::on_error(j_common_ptr info) {
  auto* self = static_cast<JpegDecoder*>(info->client_data);
  info->err->format_message(info, self->message_.data());
  std::longjmp(self->jump_, 1);
}

// Damage is a warning to libjpeg, which goes on with gray blocks; others (bytes too many, a newer version)
// leave the image whole.
void JpegDecoder::on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      on_error(info);
      break;
    default:
      break;
  }
}

void JpegDecoder::on_progress(j_common_ptr info) {
  if (!info->is_decompressor) return;
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  auto* self = static_cast<JpegDecoder*>(info->client_data);
  std::snprintf(self->message_.data(), self->message_.size(), "it has more than %d scans", kMostScans);
  std::longjmp(self->jump_, 1);
}

bool JpegDecoder::read_head() {
  if (setjmp(jump_) != 0) return false;
  jpeg_save_markers(&info_, kMarkerExif, 0xFFFF);
  jpeg_save_markers(&info_, kMarkerIcc, 0xFFFF);
  jpeg_read_header(&info_, TRUE);
  return true;
}

bool JpegDecoder::begin(J_COLOR_SPACE space) {
  if (setjmp(jump_) != 0) return false;
  info_.out_color_space = space;
  info_.dct_method = JDCT_ISLOW;  // the exact one
  jpeg_start_decompress(&info_);
  return true;
}

bool JpegDecoder::read_row(std::uint8_t* row) {
  if (setjmp(jump_) != 0) return false;
  JSAMPROW rows[] = {row};
  jpeg_read_scanlines(&info_, rows, 1);
  return true;
}

std::string JpegDecoder::marker(std::string_view name) const {
  for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (marker->marker == kMarkerExif && data.starts_with(name)) return std::string(data.substr(name.size()));
  }
  return {};
}

std::string JpegDecoder::exif() const {
  return marker(kExifName);
}

std::string JpegDecoder::xmp() const {
  return marker(kXmpName);
}

std::string JpegDecoder::icc() {
  JOCTET* data = nullptr;
  unsigned int size = 0;
  if (setjmp(jump_) != 0) return {};
  if (jpeg_read_icc_profile(&info_, &data, &size) == FALSE) return {};
  std::string profile(reinterpret_cast<const char*>(data), size);
  std::free(data);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg's malloc
  return profile;
}

}  // namespace roundhouse::host
