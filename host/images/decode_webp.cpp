// SPDX-License-Identifier: Apache-2.0
// WebP as 8-bit sRGB.
#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>

#include "host/images/colour.h"
#include "host/images/decoders.h"
#include "host/images/file_texts.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

[[noreturn]] void refuse_webp(const std::string& why) {
  throw Error(RH_INVALID_ARGUMENT, "is a damaged WebP: " + why);
}

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

// Of a whole file; refuses others. Borrows the bytes.
Demuxer open_webp(std::string_view bytes) {
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
  Demuxer demuxer(WebPDemuxPartial(&data, &state));
  if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER)
    refuse_webp(fmt::format("it ends too early, after {} bytes", bytes.size()));
  if (demuxer == nullptr || state != WEBP_DEMUX_DONE) refuse_webp("its chunks are not those of a WebP");
  return demuxer;
}

std::string chunk_of(const WebPDemuxer* demuxer, const char* name) {
  WebPChunkIterator chunk{};
  std::string bytes;
  if (WebPDemuxGetChunk(demuxer, name, 1, &chunk) != 0)
    bytes.assign(reinterpret_cast<const char*>(chunk.chunk.bytes), chunk.chunk.size);
  WebPDemuxReleaseChunkIterator(&chunk);
  return bytes;
}

// The first frame.
struct Frame {
  explicit Frame(const WebPDemuxer* demuxer) {
    if (WebPDemuxGetFrame(demuxer, 1, &iterator) == 0) refuse_webp("it has no frame");
  }
  ~Frame() { WebPDemuxReleaseIterator(&iterator); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  WebPIterator iterator{};
};

// Puts the frame in its place on the canvas, which is transparent elsewhere.
void draw_frame(const WebPIterator& frame, bool alpha, DecodedImage& decoded) {
  const auto width = static_cast<std::size_t>(frame.width), height = static_cast<std::size_t>(frame.height);
  const std::size_t canvas = decoded.image.width;
  std::vector<std::uint8_t> rgba(width * height * 4);
  if (WebPDecodeRGBAInto(frame.fragment.bytes, frame.fragment.size, rgba.data(), rgba.size(),
                         frame.width * 4) == nullptr)
    refuse_webp("its pixels cannot be decoded");
  decoded.image.rgb.resize(canvas * decoded.image.height * 3);
  if (alpha) decoded.alpha.resize(canvas * decoded.image.height);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint8_t* from = rgba.data() + (y * width + x) * 4;
      const std::size_t to = (y + static_cast<std::size_t>(frame.y_offset)) * canvas + x +
                             static_cast<std::size_t>(frame.x_offset);
      std::memcpy(decoded.image.rgb.data() + to * 3, from, 3);
      if (alpha) decoded.alpha[to] = from[3];
    }
  }
}

void convert_colours(const std::string& icc, DecodedImage& decoded) {
  if (icc.empty()) return;
  const auto colours = ColourTransform::of_profile(icc, SampleForm::rgb8);
  if (!colours) {
    decoded.notes.emplace_back("its colour profile cannot be used");
    return;
  }
  std::vector<std::uint8_t> row(std::size_t{3} * decoded.image.width);
  for (std::size_t y = 0; y < decoded.image.height; ++y) {
    std::uint8_t* place = decoded.image.rgb.data() + y * row.size();
    std::memcpy(row.data(), place, row.size());
    colours->row(row.data(), place, decoded.image.width);
  }
}

}  // namespace

RawImage decode_webp(std::string_view bytes, std::uint64_t most_pixels) {
  const Demuxer demuxer = open_webp(bytes);
  const std::uint32_t width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  const std::uint32_t height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  if (const std::string fault = size_fault(width, height, most_pixels); !fault.empty())
    throw Error(RH_INVALID_ARGUMENT, fault);
  const Frame frame(demuxer.get());
  const WebPIterator& iterator = frame.iterator;
  const bool covers = static_cast<std::uint32_t>(iterator.width) == width &&
                      static_cast<std::uint32_t>(iterator.height) == height;
  RawImage raw;
  raw.decoded.format = ImageFormat::webp;
  raw.decoded.image.width = width;
  raw.decoded.image.height = height;
  if (WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT) > 1)
    raw.decoded.notes.emplace_back("of its animation the first frame was taken");
  draw_frame(iterator, iterator.has_alpha != 0 || !covers, raw.decoded);
  convert_colours(chunk_of(demuxer.get(), "ICCP"), raw.decoded);
  raw.exif = chunk_of(demuxer.get(), "EXIF");
  // Some programs write the name that JPEG has before it.
  if (raw.exif.starts_with(std::string("Exif\0\0", 6))) raw.exif.erase(0, 6);
  return raw;
}

ImageTexts webp_texts(std::string_view bytes) {
  const Demuxer demuxer = open_webp(bytes);
  std::string exif = chunk_of(demuxer.get(), "EXIF");
  if (exif.starts_with(std::string("Exif\0\0", 6))) exif.erase(0, 6);
  ImageTexts texts = texts_of_exif(exif);
  for (auto& text : texts_of_xmp(chunk_of(demuxer.get(), "XMP ")))
    texts.push_back(std::move(text));
  return texts;
}

}  // namespace roundhouse::host
