// SPDX-License-Identifier: Apache-2.0
#include "engines/sampling/random.h"

#include <cstdint>

#include "tests/engines/sampling/fixture.h"

namespace engines::testing {
namespace {

constexpr double kTolerance = 5e-6;  // torch's own builds differ by 1.8e-6 in the last bits of log, sin, cos

const std::vector<std::string> kSeeds = {"0", "1", "42", "5", "4294967301", "9223372036854775807"};

Fixture torch_rng() {
  return {"torch-rng", "randn"};
}

TEST(TorchGenerator, GivesTheIntegersOfMersenneTwister) {
  std::ifstream in(std::string(ROUNDHOUSE_FIXTURES) + "/torch-rng/expected/uint32.json");
  const auto expected = nlohmann::json::parse(in);
  for (const std::string& seed : kSeeds) {
    TorchGenerator generator(std::stoull(seed));
    std::vector<std::uint32_t> seen;
    for (int i = 0; i < 632; ++i) {
      const std::uint32_t value = generator.next_uint32();
      if (i < 8 || i >= 620) seen.push_back(value);
    }
    EXPECT_EQ(seen, expected["seed" + seed].get<std::vector<std::uint32_t>>()) << "seed " << seed;
  }
}

TEST(TorchGenerator, GivesTheUniformNumbersOfTorchExactly) {
  const Fixture fixture = torch_rng();
  for (const std::string& seed : kSeeds) {
    TorchGenerator generator(std::stoull(seed));
    std::vector<float> drawn(20);
    generator.rand(drawn);
    EXPECT_EQ(drawn, fixture.floats("seed" + seed + ".rand.20")) << "seed " << seed;
  }
}

// Reshaped, batched and large draws of the fixture are one draw of that many numbers.
TEST(TorchGenerator, GivesTheNormalsOfTorchForEveryShapeInTheFixture) {
  const Fixture fixture = torch_rng();
  int compared = 0;
  for (const std::string& name : fixture.file().names()) {
    const auto at = name.find(".randn.");
    if (at == std::string::npos) continue;
    const std::vector<float> expected = fixture.floats(name);
    TorchGenerator generator(std::stoull(name.substr(4, at - 4)));
    std::vector<float> drawn(expected.size());
    generator.randn(drawn);
    expect_near(drawn, expected, kTolerance, name);
    ++compared;
  }
  EXPECT_GE(compared, 66);  // six seeds, eleven sizes from 1 to 100, and some shapes
}

TEST(TorchGenerator, KeepsTheSecondNormalOfASmallDrawAcrossALargeOne) {
  const Fixture fixture = torch_rng();
  for (const std::string& seed : kSeeds) {
    TorchGenerator generator(std::stoull(seed));
    int number = 0;
    for (const std::size_t size : {3, 16, 2, 40, 7, 1, 1, 19}) {
      const std::string name =
          "seed" + seed + ".sequence" + std::to_string(number++) + "." + std::to_string(size);
      std::vector<float> drawn(size);
      generator.randn(drawn);
      expect_near(drawn, fixture.floats(name), kTolerance, name);
    }
  }
}

TEST(TorchGenerator, DrawsNothingForAnEmptyTensor) {
  TorchGenerator used(7);
  TorchGenerator fresh(7);
  used.randn({});
  used.rand({});
  EXPECT_EQ(used.next_uint32(), fresh.next_uint32());
}

}  // namespace
}  // namespace engines::testing
