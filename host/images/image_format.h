// SPDX-License-Identifier: Apache-2.0
// The kinds of image files that are read and written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roundhouse::host {

enum class ImageFormat : std::uint8_t { png, jpeg, webp };

// Keyword and UTF-8 text of an image file: what made it, a comment.
using ImageTexts = std::vector<std::pair<std::string, std::string>>;

// How an image becomes a file.
struct ImageEncoding {
  ImageFormat format = ImageFormat::png;
  std::optional<int> quality;  // of jpeg and webp, 0 to 100; none: kUsualQuality

  bool operator==(const ImageEncoding&) const = default;
};

inline constexpr int kUsualQuality = 90;

// "png", "jpeg" and "webp": what requests and flags call them.
const char* name_of(ImageFormat format);
// Of that name; "jpg" is jpeg. None for any other word.
std::optional<ImageFormat> image_format(std::string_view name);
// Of a file's name, without the dot: "png", "jpg", "webp".
const char* extension_of(ImageFormat format);
// "image/png"
std::string media_type_of(ImageFormat format);

// What a file's first bytes say that it is; its name says nothing.
std::optional<ImageFormat> format_of_bytes(std::string_view bytes);

}  // namespace roundhouse::host
