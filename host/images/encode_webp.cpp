// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <webp/encode.h>
#include <webp/mux.h>

#include <memory>

#include "host/images/encoders.h"
#include "host/images/file_texts.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void no_memory() {
  throw Error(RH_OUT_OF_MEMORY, "webp: no memory for the encoder");
}

// Frees what libwebp allocated in them.
struct Picture {
  Picture() {
    if (WebPPictureInit(&value) == 0) throw Error(RH_INTERNAL, "webp: another version of libwebp");
    WebPMemoryWriterInit(&writer);
    value.writer = WebPMemoryWrite;
    value.custom_ptr = &writer;
  }
  ~Picture() {
    WebPPictureFree(&value);
    WebPMemoryWriterClear(&writer);
  }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  WebPPicture value{};
  WebPMemoryWriter writer{};
};

struct DeleteMux {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};

void put_chunk(WebPMux* mux, const char* name, const std::string& content) {
  if (content.empty()) return;
  const WebPData data{reinterpret_cast<const std::uint8_t*>(content.data()), content.size()};
  if (WebPMuxSetChunk(mux, name, &data, 0) != WEBP_MUX_OK) no_memory();
}

std::vector<std::uint8_t> with_texts(const WebPData& coded, const ImageTexts& texts) {
  const std::unique_ptr<WebPMux, DeleteMux> mux(WebPMuxCreate(&coded, 0));
  if (mux == nullptr) no_memory();
  const std::string exif = exif_of_texts(texts), xmp = xmp_of_texts(texts);
  put_chunk(mux.get(), "EXIF", exif);
  put_chunk(mux.get(), "XMP ", xmp);
  WebPData whole{};
  if (WebPMuxAssemble(mux.get(), &whole) != WEBP_MUX_OK) no_memory();
  const std::unique_ptr<WebPData, void (*)(WebPData*)> owner(&whole, WebPDataClear);
  return {whole.bytes, whole.bytes + whole.size};
}

}  // namespace

std::vector<std::uint8_t> encode_webp(const Image& image, int quality, const ImageTexts& texts) {
  if (image.width > WEBP_MAX_DIMENSION || image.height > WEBP_MAX_DIMENSION) {
    throw Error(RH_INVALID_DIMENSION, fmt::format("webp: is {}x{}, expected sides of at most {}", image.width,
                                                  image.height, WEBP_MAX_DIMENSION));
  }
  WebPConfig config{};
  if (WebPConfigPreset(&config, WEBP_PRESET_DEFAULT, static_cast<float>(quality)) == 0)
    throw Error(RH_INTERNAL, "webp: another version of libwebp");
  config.use_sharp_yuv = 1;  // edges between colours keep their brightness
  Picture picture;
  picture.value.width = static_cast<int>(image.width);
  picture.value.height = static_cast<int>(image.height);
  picture.value.use_argb = 1;
  if (WebPPictureImportRGB(&picture.value, image.rgb.data(), static_cast<int>(image.width * 3)) == 0)
    no_memory();
  if (WebPEncode(&config, &picture.value) == 0) {
    throw Error(RH_INTERNAL, fmt::format("webp: the encoder failed with error {}",
                                         static_cast<int>(picture.value.error_code)));
  }
  const WebPData coded{picture.writer.mem, picture.writer.size};
  if (texts.empty()) return {coded.bytes, coded.bytes + coded.size};
  return with_texts(coded, texts);
}

}  // namespace roundhouse::host
