// SPDX-License-Identifier: Apache-2.0
// Images at the boundary: sizes that do not fit, sums that overflow, values that are none.
#include "host/loading/pixels.h"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "tests/host/loading/error_of.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kWidth = 5, kHeight = 3;

struct Canvas {
  std::vector<float> values = std::vector<float>(std::size_t{kWidth} * kHeight * 3, 0.25F);
  rh_pixels pixels{sizeof(rh_pixels), RH_PIXELS_RGB_F32,          kWidth,
                   kHeight,           kWidth * 3 * sizeof(float), kWidth* kHeight * 3 * sizeof(float),
                   values.data()};
};

rh_image_request request() {
  rh_image_request result{};
  result.struct_size = sizeof result;
  result.width = kWidth;
  result.height = kHeight;
  return result;
}

TEST(PixelsTest, RefusesRowsAndBuffersThatDoNotFit) {
  struct Damage {
    void (*apply)(rh_pixels&);
    const char* part;
  };
  const Damage damages[] = {
      {[](rh_pixels& p) { p.struct_size = 39; }, "struct_size is 39, expected at least 40"},
      {[](rh_pixels& p) { p.format = 0; }, "format 0"},
      {[](rh_pixels& p) { p.width = 0; }, "0x3"},
      {[](rh_pixels& p) { p.height = 0; }, "5x0"},
      {[](rh_pixels& p) { p.data = nullptr; }, "data is NULL"},
      {[](rh_pixels& p) { p.row_bytes -= 1; }, "row_bytes is 59, expected at least 60"},
      {[](rh_pixels& p) { p.size_bytes -= 1; }, "size_bytes is 179"},
      {[](rh_pixels& p) { p.row_bytes = UINT64_MAX; }, "size_bytes is 180"},
      {[](rh_pixels& p) { p.width = UINT32_MAX; }, "row_bytes is 60"},
      {[](rh_pixels& p) { p.height = UINT32_MAX; }, "size_bytes is 180"},
  };
  for (const auto& damage : damages) {
    Canvas canvas;
    damage.apply(canvas.pixels);
    const Error error = error_of([&] { check_pixels("x", "the image", &canvas.pixels); });
    EXPECT_EQ(error.code(), RH_ENGINE_BROKEN) << damage.part;
    EXPECT_THAT(error.what(), HasSubstr(damage.part));
  }
}

TEST(PixelsTest, RefusesAnotherSize) {
  Canvas canvas;
  rh_image_request other = request();
  other.height = 4;
  const Error error = error_of([&] { check_image("x", canvas.pixels, other); });
  EXPECT_EQ(error.code(), RH_ENGINE_BROKEN);
  EXPECT_THAT(error.what(), HasSubstr("the image is 5x3, expected 5x4"));
}

TEST(PixelsTest, CountsValuesThatAreNotFiniteAndSaysWhereTheFirstIs) {
  Canvas canvas;
  canvas.values[(1 * kWidth + 2) * 3 + 1] = NAN;
  canvas.values[(2 * kWidth + 4) * 3 + 2] = -INFINITY;
  const Error error = error_of([&] { check_image("x", canvas.pixels, request()); });
  EXPECT_EQ(error.code(), RH_PIPELINE_ERROR);
  EXPECT_THAT(error.what(), HasSubstr("2 of 45 values of the image are not finite"));
  EXPECT_THAT(error.what(), HasSubstr("row 1, column 2, channel 1"));
}

TEST(PixelsTest, IgnoresWhatLiesBetweenTheRows) {
  std::vector<float> values(std::size_t{kWidth * 3 + 1} * kHeight, 0.5F);
  for (std::size_t row = 0; row < kHeight; ++row)
    values[row * (kWidth * 3 + 1) + kWidth * 3] = NAN;
  Canvas canvas;
  canvas.pixels.data = values.data();
  canvas.pixels.row_bytes = (kWidth * 3 + 1) * sizeof(float);
  canvas.pixels.size_bytes = canvas.pixels.row_bytes * kHeight;
  EXPECT_NO_THROW(check_pixels("x", "the image", &canvas.pixels));
  EXPECT_NO_THROW(check_image("x", canvas.pixels, request()));
}

TEST(PixelsTest, TakesEveryFormatWithRowsOfItsOwnLength) {
  const std::vector<unsigned char> bytes(kWidth * 3 * kHeight);
  for (const auto& [format, row] :
       {std::pair(RH_PIXELS_RGB_U8, kWidth * 3), std::pair(RH_PIXELS_GRAY_U8, kWidth)}) {
    const rh_pixels pixels{sizeof(rh_pixels),
                           static_cast<std::uint32_t>(format),
                           kWidth,
                           kHeight,
                           row,
                           std::uint64_t{row} * kHeight,
                           bytes.data()};
    EXPECT_NO_THROW(check_pixels("x", "the image", &pixels));
    EXPECT_NO_THROW(check_image("x", pixels, request()));
  }
}

}  // namespace
}  // namespace roundhouse::host
