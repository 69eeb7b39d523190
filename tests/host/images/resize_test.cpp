// SPDX-License-Identifier: Apache-2.0
// Tests of other sizes: held to what Pillow makes of the same image.
#include "host/images/resize.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace roundhouse::host {
namespace {

SampleGrid grid_of(const nlohmann::json& json) {
  SampleGrid grid{json.at("width"), json.at("height"), 3, {}};
  const std::string hex = json.at("rgb");
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    grid.values.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return grid;
}

TEST(Resized, IsWhatPillowMakesToOneLevel) {
  std::ifstream file(std::string(ROUNDHOUSE_FIXTURES) + "/images/resized.json");
  const auto cases = nlohmann::json::parse(file);
  const SampleGrid image = grid_of(cases);
  for (const nlohmann::json& json : cases.at("resized")) {
    const SampleGrid expected = grid_of(json);
    const SampleGrid made = resized(image, expected.width, expected.height);
    ASSERT_EQ(made.values.size(), expected.values.size());
    for (std::size_t i = 0; i < made.values.size(); ++i)
      ASSERT_LE(std::abs(int{made.values[i]} - int{expected.values[i]}), 1)
          << expected.width << "x" << expected.height << " at " << i;
  }
}

TEST(Resized, LeavesASurfaceOfOneColourAsItIs) {
  const SampleGrid even{7, 5, 1, std::vector<std::uint8_t>(35, 201)};
  for (const std::uint32_t side : {1U, 3U, 7U, 50U}) {
    for (const std::uint8_t value : resized(even, side, side).values)
      EXPECT_EQ(value, 201);
  }
}

TEST(Cropped, IsTheRectangle) {
  const SampleGrid grid{3, 3, 2, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}};
  EXPECT_EQ(cropped(grid, {1, 1, 2, 2}).values, (std::vector<std::uint8_t>{8, 9, 10, 11, 14, 15, 16, 17}));
}

}  // namespace
}  // namespace roundhouse::host
