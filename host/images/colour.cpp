// SPDX-License-Identifier: Apache-2.0
#include "host/images/colour.h"

#include <lcms2.h>

#include <cmath>
#include <type_traits>
#include <utility>

namespace roundhouse::host {
namespace {

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
struct DeleteContext {
  void operator()(cmsContext context) const { cmsDeleteContext(context); }
};
struct FreeCurve {
  void operator()(cmsToneCurve* curve) const { cmsFreeToneCurve(curve); }
};
using Profile = std::unique_ptr<void, CloseProfile>;

cmsUInt32Number layout_of(SampleForm samples) {
  switch (samples) {
    case SampleForm::gray8:
      return TYPE_GRAY_8;
    case SampleForm::gray16:
      return TYPE_GRAY_16;
    case SampleForm::rgb8:
      return TYPE_RGB_8;
    case SampleForm::rgb16:
      return TYPE_RGB_16;
    case SampleForm::cmyk8:
      return TYPE_CMYK_8;
    case SampleForm::cmyk8_inverted:
      return TYPE_CMYK_8_REV;
  }
  return TYPE_RGB_8;
}

cmsColorSpaceSignature space_of(SampleForm samples) {
  switch (samples) {
    case SampleForm::gray8:
    case SampleForm::gray16:
      return cmsSigGrayData;
    case SampleForm::cmyk8:
    case SampleForm::cmyk8_inverted:
      return cmsSigCmykData;
    default:
      return cmsSigRgbData;
  }
}

// By itself Little CMS puts a coarse table in the place of a gray or 16-bit transform, which is up to 11 of
// 255 away where it is dark.
cmsUInt32Number flags_of(SampleForm samples) {
  const bool exact = samples != SampleForm::rgb8 && space_of(samples) != cmsSigCmykData;
  return cmsFLAGS_BLACKPOINTCOMPENSATION | (exact ? cmsFLAGS_NOOPTIMIZE : 0);
}

}  // namespace

// A context of its own, so that threads share nothing and nothing is printed. Closed last.
struct ColourTransform::Parts {
  std::unique_ptr<std::remove_pointer_t<cmsContext>, DeleteContext> context{
      cmsCreateContext(nullptr, nullptr)};
  std::unique_ptr<void, DeleteTransform> transform;

  bool open(const Profile& profile, SampleForm samples) {
    const Profile srgb(cmsCreate_sRGBProfileTHR(context.get()));
    if (profile == nullptr || srgb == nullptr) return false;
    if (cmsGetColorSpace(profile.get()) != space_of(samples)) return false;
    transform.reset(cmsCreateTransformTHR(context.get(), profile.get(), layout_of(samples), srgb.get(),
                                          TYPE_RGB_8, INTENT_RELATIVE_COLORIMETRIC, flags_of(samples)));
    return transform != nullptr;
  }
};

ColourTransform::ColourTransform(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
}

ColourTransform::~ColourTransform() = default;

std::unique_ptr<ColourTransform> ColourTransform::of_profile(std::string_view icc, SampleForm samples) {
  auto parts = std::make_unique<Parts>();
  const Profile profile(
      cmsOpenProfileFromMemTHR(parts->context.get(), icc.data(), static_cast<cmsUInt32Number>(icc.size())));
  if (!parts->open(profile, samples)) return nullptr;
  return std::unique_ptr<ColourTransform>(new ColourTransform(std::move(parts)));
}

std::unique_ptr<ColourTransform> ColourTransform::of_primaries(const Primaries& primaries,
                                                               SampleForm samples) {
  auto parts = std::make_unique<Parts>();
  const cmsCIExyY white{primaries.white_x, primaries.white_y, 1};
  const cmsCIExyYTRIPLE colours{{primaries.red_x, primaries.red_y, 1},
                                {primaries.green_x, primaries.green_y, 1},
                                {primaries.blue_x, primaries.blue_y, 1}};
  const std::unique_ptr<cmsToneCurve, FreeCurve> curve(
      cmsBuildGamma(parts->context.get(), 1 / primaries.gamma));
  if (curve == nullptr) return nullptr;
  cmsToneCurve* const curves[] = {curve.get(), curve.get(), curve.get()};
  const bool gray = space_of(samples) == cmsSigGrayData;
  const Profile profile(gray ? cmsCreateGrayProfileTHR(parts->context.get(), &white, curve.get())
                             : cmsCreateRGBProfileTHR(parts->context.get(), &white, &colours, curves));
  if (!parts->open(profile, samples)) return nullptr;
  return std::unique_ptr<ColourTransform>(new ColourTransform(std::move(parts)));
}

void ColourTransform::row(const void* samples, std::uint8_t* rgb, std::uint32_t count) const {
  cmsDoTransform(parts_->transform.get(), samples, rgb, count);
}

bool is_srgb_like(const Primaries& primaries) {
  // Writers round; below a hundredth nobody sees a difference.
  constexpr double kSame = 0.01;
  const auto near = [](double a, double b) { return std::abs(a - b) < kSame; };
  const Primaries& srgb = kSrgbPrimaries;
  return near(primaries.white_x, srgb.white_x) && near(primaries.white_y, srgb.white_y) &&
         near(primaries.red_x, srgb.red_x) && near(primaries.red_y, srgb.red_y) &&
         near(primaries.green_x, srgb.green_x) && near(primaries.green_y, srgb.green_y) &&
         near(primaries.blue_x, srgb.blue_x) && near(primaries.blue_y, srgb.blue_y) &&
         near(primaries.gamma, srgb.gamma);
}

}  // namespace roundhouse::host
