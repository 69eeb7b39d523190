// SPDX-License-Identifier: Apache-2.0
#include "host/images/image_format.h"

namespace roundhouse::host {

const char* name_of(ImageFormat format) {
  switch (format) {
    case ImageFormat::png:
      return "png";
    case ImageFormat::jpeg:
      return "jpeg";
    case ImageFormat::webp:
      return "webp";
  }
  return "";
}

std::optional<ImageFormat> image_format(std::string_view name) {
  if (name == "jpg") return ImageFormat::jpeg;
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::webp}) {
    if (name == name_of(format)) return format;
  }
  return std::nullopt;
}

const char* extension_of(ImageFormat format) {
  return format == ImageFormat::jpeg ? "jpg" : name_of(format);
}

std::string media_type_of(ImageFormat format) {
  return std::string("image/") + name_of(format);
}

std::optional<ImageFormat> format_of_bytes(std::string_view bytes) {
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (bytes.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (bytes.starts_with("RIFF") && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP")
    return ImageFormat::webp;
  return std::nullopt;
}

}  // namespace roundhouse::host
