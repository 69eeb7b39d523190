// SPDX-License-Identifier: Apache-2.0
// Tests of images that come in: their size, their mask, and what a plan makes of them.
#include "host/session/init_image.h"

#include "host/images/encode_image.h"
#include "tests/host/session/plan_fixture.h"

namespace roundhouse::host {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// Each row in a gray of its own, each column in a red of its own.
Image ramps(std::uint32_t width, std::uint32_t height) {
  Image image{width, height, {}};
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      for (const std::uint32_t level : {x % 256, y % 256, y % 256})
        image.rgb.push_back(static_cast<std::uint8_t>(level));
    }
  }
  return image;
}

std::string png_of(const Image& image) {
  const auto bytes = encode_image(image, {}, {});
  return {bytes.begin(), bytes.end()};
}

InitSource source(std::uint32_t width, std::uint32_t height) {
  return read_init_image(png_of(ramps(width, height)), "init_image");
}

Size size_of(std::uint32_t width, std::uint32_t height, const SizeLimits& limits) {
  return size_of_init(source(width, height), limits);
}

TEST(InitImage, hasASizeThatTheModelCanDraw) {
  const SizeLimits pocket{64, 512, 16};
  const auto is = [](std::uint32_t width, std::uint32_t height) {
    return testing::AllOf(testing::Field(&Size::width, width), testing::Field(&Size::height, height));
  };
  EXPECT_THAT(size_of(256, 192, pocket), is(256, 192));
  EXPECT_THAT(size_of(271, 207, pocket), is(256, 192)) << "cut to multiples";
  EXPECT_THAT(size_of(1024, 768, pocket), is(512, 384)) << "made smaller";
  EXPECT_THAT(size_of(32, 48, pocket), is(64, 96)) << "made larger";
  EXPECT_THAT(size_of(3000, 100, pocket), is(512, 64)) << "as near as can be";
  EXPECT_THAT(size_of(1, 1, pocket), is(64, 64));
}

TEST(InitImage, isCutEvenlyWhereItIsALittleTooLarge) {
  std::vector<std::string> notes;
  const auto init = fitted(source(70, 67), {64, 64}, 0.5, notes);
  EXPECT_THAT(notes, ElementsAre("the init image of 70x67 was cropped to 64x64"));
  EXPECT_EQ(init->image.width, 64U);
  EXPECT_EQ(init->image.rgb[0], 3) << "three columns of six are cut on the left";
  EXPECT_EQ(init->image.rgb[1], 1) << "one row of three is cut above";
  EXPECT_EQ(init->strength, 0.5);
}

TEST(InitImage, isScaledUntilItCoversAnotherSize) {
  std::vector<std::string> notes;
  const auto init = fitted(source(200, 100), {64, 64}, 1, notes);
  EXPECT_THAT(notes, ElementsAre("the init image of 200x100 was scaled and cropped to 64x64"));
  ASSERT_EQ(init->image.rgb.size(), 3U * 64 * 64);
  EXPECT_NEAR(init->image.rgb[3 * 32], 100, 3) << "the middle stays the middle";
  notes.clear();
  fitted(source(128, 128), {64, 64}, 1, notes);
  EXPECT_THAT(notes, ElementsAre("the init image of 128x128 was scaled to 64x64"));
  notes.clear();
  fitted(source(64, 64), {64, 64}, 1, notes);
  EXPECT_THAT(notes, IsEmpty());
}

TEST(InitImage, takesItsMaskAlong) {
  InitSource init = source(70, 64);
  Image mask{70, 64, std::vector<std::uint8_t>(std::size_t{3} * 70 * 64)};
  for (std::size_t y = 0; y < 64; ++y) {
    for (std::size_t c = 0; c < 3; ++c)
      mask.rgb[(y * 70 + 40) * 3 + c] = 255;
  }
  read_mask(init, png_of(mask), "mask");
  std::vector<std::string> notes;
  const auto cut = fitted(init, {64, 64}, 1, notes);
  ASSERT_EQ(cut->mask.size(), 64U * 64);
  EXPECT_EQ(cut->mask[37], 255);
  EXPECT_EQ(cut->mask[36], 0);
  read_mask(init, png_of(ramps(35, 32)), "mask");
  notes.clear();
  EXPECT_EQ(fitted(init, {64, 64}, 1, notes)->mask.size(), 64U * 64);
  EXPECT_THAT(notes, Contains("the mask of 35x32 was scaled to the init image's 70x64"));
}

// Sides whose product is allowed and whose scaled sides would not be.
TEST(InitImage, ofAnExtremeShapeTakesNoMemoryBeyondItsOwn) {
  const auto strip = [](std::uint32_t width, std::uint32_t height) {
    InitSource init;
    init.image = {width, height, std::vector<std::uint8_t>(std::size_t{3} * width * height, 99)};
    init.mask = MaskSource{height, width, std::vector<std::uint8_t>(std::size_t{width} * height, 200)};
    return init;
  };
  for (const auto& [width, height] : {std::pair(1U << 22, 1U), std::pair(1U, 1U << 22)}) {
    std::vector<std::string> notes;
    const auto init = fitted(strip(width, height), {512, 64}, 1, notes);
    EXPECT_EQ(init->image.rgb, std::vector<std::uint8_t>(std::size_t{3} * 512 * 64, 99));
    EXPECT_EQ(init->mask, std::vector<std::uint8_t>(std::size_t{512} * 64, 200));
  }
}

TEST(InitImage, withoutTransparencyIsNoMaskOfTransparency) {
  InitSource init = source(64, 64);
  EXPECT_THROW(read_mask(init, png_of(ramps(64, 64)), "mask", MaskKind::transparent), Error);
  EXPECT_FALSE(read_init_image(png_of(ramps(64, 64)), "image", MaskKind::transparent).mask);
}

class InitPlan : public PlanTest {
 protected:
  InitPlan() {
    registry_ = Registry(candidates({engine("fast", 100, {"guidance", "image-to-image"}),
                                     engine("able", 10, {"guidance", "image-to-image", "inpaint"})}));
  }
  void begin_with(std::uint32_t width, std::uint32_t height, bool mask = false) {
    InitSource init = source(width, height);
    if (mask) read_mask(init, png_of(ramps(width, height)), "mask");
    request_.init = std::make_shared<const InitSource>(std::move(init));
  }
};

TEST_F(InitPlan, drawsTheSizeOfTheImageWhereNoneIsAskedFor) {
  begin_with(210, 160);
  const GeneratePlan planned = plan();
  EXPECT_EQ(planned.job.width, 208U);
  EXPECT_EQ(planned.job.height, 160U);
  EXPECT_THAT(planned.notes, Contains("the init image of 210x160 was cropped to 208x160"));
  ASSERT_NE(planned.job.init, nullptr);
  EXPECT_EQ(planned.job.init->strength, 0.6);
  request_.width = 64;
  EXPECT_EQ(plan().job.width, 64U);
  EXPECT_EQ(plan().job.init->image.width, 64U);
}

TEST_F(InitPlan, goesToAnEngineThatCan) {
  begin_with(64, 64);
  EXPECT_EQ(plan().engine, "fast");
  begin_with(64, 64, true);
  EXPECT_EQ(plan().engine, "able");
  EXPECT_EQ(plan().job.init->strength, 1);
  request_.engine = "fast";
  expect_refused(RH_CAPABILITY_UNSUPPORTED, "does not do inpaint");
}

TEST_F(InitPlan, refusesAStrengthOutOfRangeAndOneOfNoImage) {
  request_.strength = 0.5;
  expect_refused(RH_INVALID_ARGUMENT, "strength: is of an image to begin with");
  begin_with(64, 64);
  for (const double strength : {0.0, -0.5, 1.5}) {
    request_.strength = strength;
    expect_refused(RH_INVALID_ARGUMENT, "is out of range, expected more than 0, up to 1");
  }
  request_.strength = 0.25;
  request_.steps = 8;
  EXPECT_EQ(plan().job.init->strength, 0.25);
  EXPECT_EQ(plan().job.steps_done(), 2U);
}

}  // namespace
}  // namespace roundhouse::host
