// SPDX-License-Identifier: Apache-2.0
// Images that come in: from a file to what an engine begins with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/session/size.h"
#include "host/task/image_task.h"

namespace roundhouse::host {

// What of an image is drawn anew, in any size: a byte a pixel, 128 and more is.
struct MaskSource {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> levels;  // width * height
};

// An image to begin with as it came, in its own size.
struct InitSource {
  Image image;  // transparent parts over white
  std::optional<MaskSource> mask;
  std::string sha256;  // of the image's file
  std::vector<std::string> notes;
};

// How a mask says what is drawn anew: by its brightness, or by what is transparent in it.
enum class MaskKind { white, transparent };

// Reads the file of an image. With MaskKind::transparent its own transparent parts are a mask, where it has
// any. Throws what read_image throws, naming `field`.
InitSource read_init_image(std::string_view bytes, const std::string& field, MaskKind kind = MaskKind::white);

// Reads the file of a mask into `init`. Throws what read_image throws, and INVALID_ARGUMENT for a file
// without transparency where that is what counts.
void read_mask(InitSource& init, std::string_view bytes, const std::string& field,
               MaskKind kind = MaskKind::white);

// The size to draw where none was asked for: the image's own without what is beyond the multiple that
// `limits` ask for, smaller or larger in the same shape where it is outside of their bounds.
Size size_of_init(const InitSource& init, const SizeLimits& limits);

// In that size, with what happened to it in `notes`: what is beyond a multiple of a few pixels is cut off
// evenly; of an image of another size the largest part of that shape, in the middle, is scaled.
std::shared_ptr<const InitImage> fitted(const InitSource& init, const Size& size, double strength,
                                        std::vector<std::string>& notes);

}  // namespace roundhouse::host
