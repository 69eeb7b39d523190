// SPDX-License-Identifier: Apache-2.0
// Placements: made by routing, and made again when an engine turns out to be of no use.
#include "host/routing/placement.h"

#include <gmock/gmock.h>

#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

Candidate candidate(const std::string& id, int score, const std::vector<std::string>& devices) {
  EngineManifest manifest;
  manifest.file = "/engines/" + id + ".json";
  manifest.id = id;
  manifest.maturity = "stable";
  manifest.abi_major = RH_ABI_MAJOR;
  manifest.score = score;
  manifest.capabilities = {
      {"task", {"text-to-image"}}, {"architecture", {"ZImagePipeline"}}, {"device", devices}};
  return {manifest.file, "flag", manifest, std::nullopt, std::nullopt};
}

class PlacementTest : public ::testing::Test {
 protected:
  PlacementTest() {
    request_.route.architecture = "ZImagePipeline";
    request_.model = ModelReference{"m", "ZImagePipeline", LocalDirectory{"/models/m"}};
    request_.memory_limit_bytes = 7;
  }

  Registry registry_{{candidate("fast", 100, {"cpu", "cuda:0"}), candidate("plain", 10, {"cpu"})}};
  PlacementRequest request_;
};

TEST_F(PlacementTest, IsTheBestEngineOnItsDeviceWithWhatWasHandedOn) {
  const Placement placement = place(request_, registry_);
  EXPECT_EQ(placement.engine, "fast");
  EXPECT_EQ(placement.device, "cuda:0");
  EXPECT_EQ(name_of(placement.model), "m");
  EXPECT_EQ(placement.memory_limit_bytes, 7U);
  EXPECT_EQ(placement.decision.verdicts.size(), 2U);
}

TEST_F(PlacementTest, WhatNobodyCanDoIsRefusedWithEveryVerdict) {
  request_.route.task = "chat";
  try {
    place(request_, registry_);
    ADD_FAILURE();
  } catch (const RoutingRefusal& refusal) {
    EXPECT_EQ(refusal.code(), RH_CAPABILITY_UNSUPPORTED);
    EXPECT_EQ(refusal.decision().verdicts.size(), 2U);
  }
}

TEST_F(PlacementTest, TheNextEngineTakesThePlaceOfOneThatIsOut) {
  Placement placement = place(request_, registry_);
  const Error crash(RH_ENGINE_CRASHED, "engine 'fast' died");
  EXPECT_FALSE(placement_refusal(placement, registry_));
  registry_.set_error("/engines/fast.json", crash);
  EXPECT_TRUE(placement_refusal(placement, registry_));
  EXPECT_EQ(place_again(placement, registry_, crash),
            "engine 'fast' cannot be used (engine 'fast' died); engine 'plain' takes its place");
  EXPECT_EQ(placement.engine, "plain");
  EXPECT_EQ(placement.device, "cpu");
  registry_.set_error("/engines/plain.json", crash);
  EXPECT_THROW(place_again(placement, registry_, crash), Error) << "there is no other";
}

TEST_F(PlacementTest, AnExplicitEngineIsNotReplaced) {
  request_.route.engine = "fast";
  Placement placement = place(request_, registry_);
  const Error crash(RH_ENGINE_CRASHED, "engine 'fast' died");
  registry_.set_error("/engines/fast.json", crash);
  EXPECT_THROW(place_again(placement, registry_, crash), Error);
  EXPECT_EQ(placement.engine, "fast");
}

}  // namespace
}  // namespace roundhouse::host
