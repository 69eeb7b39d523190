// SPDX-License-Identifier: Apache-2.0
#include "host/session/init_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/images/read_image.h"
#include "host/images/resize.h"
#include "host/store/digest.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

// What is beyond a multiple is cut where it is less than this; more means that another size was asked for.
constexpr std::uint32_t kLargestMultiple = 64;

std::uint8_t over_white(std::uint8_t level, std::uint8_t alpha) {
  return static_cast<std::uint8_t>((level * alpha + 255 * (255 - alpha) + 127) / 255);
}

void put_over_white(DecodedImage& decoded) {
  for (std::size_t i = 0; i < decoded.alpha.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      decoded.image.rgb[3 * i + c] = over_white(decoded.image.rgb[3 * i + c], decoded.alpha[i]);
  }
}

MaskSource mask_of_alpha(const DecodedImage& decoded) {
  MaskSource mask{decoded.image.width, decoded.image.height, {}};
  for (const std::uint8_t alpha : decoded.alpha)
    mask.levels.push_back(static_cast<std::uint8_t>(255 - alpha));
  return mask;
}

// Brightness as ITU-R BT.601 has it, which is what image programs make gray of.
MaskSource mask_of_brightness(const DecodedImage& decoded) {
  MaskSource mask{decoded.image.width, decoded.image.height, {}};
  const std::vector<std::uint8_t>& rgb = decoded.image.rgb;
  for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
    mask.levels.push_back(
        static_cast<std::uint8_t>((299 * rgb[i] + 587 * rgb[i + 1] + 114 * rgb[i + 2] + 500) / 1000));
  }
  return mask;
}

std::string shown(std::uint32_t width, std::uint32_t height) {
  return fmt::format("{}x{}", width, height);
}

// From an image's own size to another: first cut evenly on both sides, then scaled.
struct Fit {
  Crop cut;
  Size size;
};

// What is a little beyond the size is cut; else the largest rectangle of the size's shape is scaled.
Fit fit_of(const Image& image, const Size& size) {
  const auto beyond = [](std::uint32_t from, std::uint32_t to) {
    return from >= to && from - to < kLargestMultiple;
  };
  std::uint32_t width = size.width, height = size.height;
  if (!beyond(image.width, width) || !beyond(image.height, height)) {
    const double scale = std::max(static_cast<double>(size.width) / image.width,
                                  static_cast<double>(size.height) / image.height);
    const auto side = [&](std::uint32_t to, std::uint32_t from) {
      return std::clamp<std::uint32_t>(static_cast<std::uint32_t>(std::lround(to / scale)), 1, from);
    };
    width = side(size.width, image.width);
    height = side(size.height, image.height);
  }
  return {{(image.width - width) / 2, (image.height - height) / 2, width, height}, size};
}

// The same rectangle of an image of another size.
Crop in_size(const Crop& cut, const Image& image, std::uint32_t width, std::uint32_t height) {
  const auto scaled = [](std::uint32_t pixels, std::uint32_t from, std::uint32_t to) {
    return static_cast<std::uint32_t>(std::uint64_t{pixels} * to / from);
  };
  const std::uint32_t x = std::min(scaled(cut.x, image.width, width), width - 1);
  const std::uint32_t y = std::min(scaled(cut.y, image.height, height), height - 1);
  return {x, y, std::clamp<std::uint32_t>(scaled(cut.width, image.width, width), 1, width - x),
          std::clamp<std::uint32_t>(scaled(cut.height, image.height, height), 1, height - y)};
}

std::vector<std::uint8_t> fitted_samples(const SampleGrid& grid, const Crop& cut, const Size& size) {
  SampleGrid samples = cropped(grid, cut);
  if (samples.width != size.width || samples.height != size.height)
    samples = resized(samples, size.width, size.height);
  return std::move(samples.values);
}

void note_fit(const Image& image, const Fit& fit, std::vector<std::string>& notes) {
  const bool cut = fit.cut.width != image.width || fit.cut.height != image.height;
  const bool scaled = fit.cut.width != fit.size.width || fit.cut.height != fit.size.height;
  if (!scaled && !cut) return;
  notes.push_back(fmt::format("the init image of {} was {} to {}", shown(image.width, image.height),
                              scaled && cut ? "scaled and cropped"
                              : scaled      ? "scaled"
                                            : "cropped",
                              shown(fit.size.width, fit.size.height)));
}

}  // namespace

InitSource read_init_image(std::string_view bytes, const std::string& field, MaskKind kind) {
  DecodedImage decoded = read_image(bytes, field);
  InitSource init;
  if (kind == MaskKind::transparent && !decoded.alpha.empty()) {
    const bool has_holes = std::any_of(decoded.alpha.begin(), decoded.alpha.end(),
                                       [](std::uint8_t alpha) { return alpha < 128; });
    if (has_holes) init.mask = mask_of_alpha(decoded);
  }
  if (!decoded.alpha.empty() && !init.mask) {
    const bool opaque = std::all_of(decoded.alpha.begin(), decoded.alpha.end(),
                                    [](std::uint8_t alpha) { return alpha == 255; });
    if (!opaque) init.notes.push_back(field + ": what is transparent in it counts as white");
  }
  put_over_white(decoded);
  for (const std::string& note : decoded.notes)
    init.notes.push_back(field + ": " + note);
  init.image = std::move(decoded.image);
  init.sha256 = sha256(bytes).text();
  return init;
}

void read_mask(InitSource& init, std::string_view bytes, const std::string& field, MaskKind kind) {
  const DecodedImage decoded = read_image(bytes, field);
  if (kind == MaskKind::transparent && decoded.alpha.empty()) {
    throw Error(
        RH_INVALID_ARGUMENT,
        field + ": has no transparency, expected an image that is transparent where it is drawn anew");
  }
  init.mask = kind == MaskKind::transparent ? mask_of_alpha(decoded) : mask_of_brightness(decoded);
}

Size size_of_init(const InitSource& init, const SizeLimits& limits) {
  const std::uint32_t step = std::max<std::uint32_t>(limits.multiple_of, 1);
  const double longest = std::max(init.image.width, init.image.height);
  const double shortest = std::min(init.image.width, init.image.height);
  const double least = std::max<double>(std::ceil(static_cast<double>(limits.minimum) / step), 1) * step;
  const double most = std::max<double>(std::floor(static_cast<double>(limits.maximum) / step) * step, least);
  const double scale = longest > most ? most / longest : shortest < least ? least / shortest : 1;
  const auto side = [&](std::uint32_t pixels) {
    const double whole = std::floor(pixels * scale / step + 1e-9) * step;
    return static_cast<std::uint32_t>(std::clamp(whole, least, most));
  };
  return {side(init.image.width), side(init.image.height)};
}

std::shared_ptr<const InitImage> fitted(const InitSource& init, const Size& size, double strength,
                                        std::vector<std::string>& notes) {
  notes.insert(notes.end(), init.notes.begin(), init.notes.end());
  const Image& image = init.image;
  const Fit fit = fit_of(image, size);
  note_fit(image, fit, notes);
  InitImage result;
  result.strength = strength;
  result.sha256 = init.sha256;
  result.image = {size.width, size.height,
                  fitted_samples({image.width, image.height, 3, image.rgb}, fit.cut, size)};
  if (init.mask) {
    const SampleGrid levels{init.mask->width, init.mask->height, 1, init.mask->levels};
    if (levels.width != image.width || levels.height != image.height) {
      notes.push_back(fmt::format("the mask of {} was scaled to the init image's {}",
                                  shown(levels.width, levels.height), shown(image.width, image.height)));
    }
    result.mask = fitted_samples(levels, in_size(fit.cut, image, levels.width, levels.height), size);
  }
  return std::make_shared<const InitImage>(std::move(result));
}

}  // namespace roundhouse::host
