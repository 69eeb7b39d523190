// SPDX-License-Identifier: Apache-2.0
// SampleForm of any colour space as sRGB, by Little CMS.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace roundhouse::host {

// How the samples of a row lie. All are interleaved; the 16-bit ones in the order of this processor.
enum class SampleForm : std::uint8_t {
  gray8,
  gray16,
  rgb8,
  rgb16,
  cmyk8,          // 255 = full ink
  cmyk8_inverted  // 0 = full ink, as Adobe writes JPEGs
};

// Chromaticities x, y of white, red, green and blue, and the exponent of the curve from light to sample
// (1/2.2).
struct Primaries {
  double white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y;
  double gamma;
};
inline constexpr Primaries kSrgbPrimaries{0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 1 / 2.2};

// One transform to sRGB with 8 bits a sample. Used by one thread at a time.
class ColourTransform {
 public:
  // Null for a profile that is damaged or of another colour space than the samples'.
  static std::unique_ptr<ColourTransform> of_profile(std::string_view icc, SampleForm samples);
  static std::unique_ptr<ColourTransform> of_primaries(const Primaries& primaries, SampleForm samples);
  ~ColourTransform();
  ColourTransform(const ColourTransform&) = delete;
  ColourTransform& operator=(const ColourTransform&) = delete;

  // `samples`: count pixels as given to the constructor; `rgb`: 3 * count bytes, another memory.
  void row(const void* samples, std::uint8_t* rgb, std::uint32_t count) const;

 private:
  struct Parts;
  explicit ColourTransform(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Whether the profile is sRGB, so that nothing has to be done: the built-in curve and primaries.
bool is_srgb_like(const Primaries& primaries);

}  // namespace roundhouse::host
