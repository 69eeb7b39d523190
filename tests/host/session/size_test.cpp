// SPDX-License-Identifier: Apache-2.0
// Tests of sizes: bounds that are named, and aspects that stay within them.
#include "host/session/size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

constexpr SizeLimits kLarge{256, 2048, 64};
constexpr SizeLimits kPocket{64, 512, 16};
constexpr SizeLimits kBare{16, 2048, 16};

void expect_refused(std::optional<std::int64_t> width, std::optional<std::int64_t> height,
                    const std::string& message) {
  GenerateRequest request;
  request.width = width;
  request.height = height;
  try {
    requested_size(request, {1024, 1024}, kLarge, "model 'm'");
    ADD_FAILURE() << "no error, expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_INVALID_DIMENSION);
    EXPECT_EQ(error.what(), message);
  }
}

TEST(RequestedSize, NamesTheSideTheValueAndTheBoundThatWasBroken) {
  expect_refused(255, {}, "width: 255 is below 256, expected 256 to 2048 in multiples of 64 for model 'm'");
  expect_refused({}, 2049,
                 "height: 2049 is above 2048, expected 256 to 2048 in multiples of 64 for model 'm'");
  expect_refused(
      1000, 1024,
      "width: 1000 is not a multiple of 64, expected 256 to 2048 in multiples of 64 for model 'm'");
}

TEST(RequestedSize, RefusesNumbersThatNoImageHas) {
  expect_refused(0, {}, "width: 0 is below 256, expected 256 to 2048 in multiples of 64 for model 'm'");
  expect_refused({}, -64, "height: -64 is below 256, expected 256 to 2048 in multiples of 64 for model 'm'");
  expect_refused(
      INT64_MAX, {},
      "width: 9223372036854775807 is above 2048, expected 256 to 2048 in multiples of 64 for model 'm'");
  expect_refused(std::int64_t{1} << 32 | 1024, {},
                 "width: 4294968320 is above 2048, expected 256 to 2048 in multiples of 64 for model 'm'");
}

TEST(RequestedSize, TakesTheOtherSideFromTheDefaults) {
  GenerateRequest request;
  request.width = 512;
  const Size size = requested_size(request, {1024, 768}, kLarge, "model 'm'");
  EXPECT_EQ(size.width, 512U);
  EXPECT_EQ(size.height, 768U);
}

TEST(SizeOfAspect, RefusesAnUnknownAspectNamingTheKnownOnes) {
  for (const char* aspect : {"", "16x9", "0:0", "21:9"}) {
    try {
      size_of_aspect(aspect, {1024, 1024}, kLarge);
      ADD_FAILURE() << aspect;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), RH_INVALID_ARGUMENT);
      EXPECT_THAT(error.what(), HasSubstr("expected one of: 1:1, 16:9, 9:16, 4:3, 3:4, 3:2, 2:3"));
    }
  }
}

struct Case {
  const char* aspect;
  Size usual;
  SizeLimits limits;
  Size expected;
};

TEST(SizeOfAspect, IsTheNearestValidSizeOfAboutTheUsualArea) {
  const Case cases[] = {
      {"1:1", {1024, 1024}, kLarge, {1024, 1024}}, {"16:9", {1024, 1024}, kLarge, {1344, 768}},
      {"9:16", {1024, 1024}, kLarge, {768, 1344}}, {"3:2", {1024, 1024}, kLarge, {1280, 832}},
      {"4:3", {1024, 1024}, kLarge, {1152, 896}},  {"1:1", {256, 256}, kPocket, {256, 256}},
      {"16:9", {256, 256}, kPocket, {336, 192}},   {"2:3", {256, 256}, kPocket, {208, 320}},
      {"16:9", {1024, 1024}, kBare, {1360, 768}},
  };
  for (const Case& c : cases) {
    const Size size = size_of_aspect(c.aspect, c.usual, c.limits);
    EXPECT_EQ(size.width, c.expected.width) << c.aspect << " about " << c.usual.width;
    EXPECT_EQ(size.height, c.expected.height) << c.aspect << " about " << c.usual.width;
  }
}

TEST(SizeOfAspect, NeverLeavesTheLimits) {
  for (const SizeLimits& limits : {kLarge, kPocket, kBare, SizeLimits{500, 500, 1}, SizeLimits{1, 64, 7}}) {
    for (const char* aspect : {"1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"}) {
      for (const std::uint32_t side : {16U, 256U, 1024U, 2048U}) {
        const Size size = size_of_aspect(aspect, {side, side}, limits);
        for (const std::uint32_t value : {size.width, size.height}) {
          EXPECT_GE(value, limits.minimum);
          EXPECT_LE(value, limits.maximum);
          EXPECT_EQ(value % limits.multiple_of, 0U);
        }
      }
    }
  }
}

// The search looks at two heights for each width; this looks at all.
TEST(SizeOfAspect, IsAsGoodAsTryingEverySize) {
  const double ratio = 16.0 / 9;
  const auto cost = [&](double width, double height) {
    return std::abs(std::log(width / height / ratio)) + std::abs(std::log(width * height / (256.0 * 256)));
  };
  double best = 1e9;
  for (std::uint32_t width = 64; width <= 512; width += 16) {
    for (std::uint32_t height = 64; height <= 512; height += 16)
      best = std::min(best, cost(width, height));
  }
  const Size size = size_of_aspect("16:9", {256, 256}, kPocket);
  EXPECT_NEAR(cost(size.width, size.height), best, 1e-9);
}

}  // namespace
}  // namespace roundhouse::host
