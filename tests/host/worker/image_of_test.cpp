// SPDX-License-Identifier: Apache-2.0
// Tests of the conversion of images.
#include "host/worker/image_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;

rh_pixels pixels_of(std::uint32_t format, std::uint32_t width, std::uint32_t height, std::uint64_t row_bytes,
                    const void* data) {
  return {sizeof(rh_pixels), format, width, height, row_bytes, row_bytes * height, data};
}

TEST(ImageOf, ClampsFloatsAndRoundsHalfToEven) {
  const float samples[6] = {-1.0F, 2.0F, 0.5F / 255, 1.5F / 255, 2.5F / 255, 100.4F / 255};
  const Image image = image_of(pixels_of(RH_PIXELS_RGB_F32, 2, 1, sizeof samples, samples));
  EXPECT_THAT(image.rgb, ElementsAre(0, 255, 0, 2, 2, 100));
}

TEST(ImageOf, ReadsRowsThatArePaddedAndNotAligned) {
  const std::uint8_t bytes[] = {9, 1, 2, 3, 9, 4, 5, 6, 9};
  const Image image = image_of(pixels_of(RH_PIXELS_RGB_U8, 1, 2, 4, bytes + 1));
  EXPECT_EQ(image.width, 1U);
  EXPECT_EQ(image.height, 2U);
  EXPECT_THAT(image.rgb, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(ImageOf, MakesGrayThreeTimesTheSame) {
  const std::uint8_t bytes[] = {7, 8};
  EXPECT_THAT(image_of(pixels_of(RH_PIXELS_GRAY_U8, 2, 1, 2, bytes)).rgb, ElementsAre(7, 7, 7, 8, 8, 8));
}

}  // namespace
}  // namespace roundhouse::host
