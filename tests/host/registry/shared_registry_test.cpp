// SPDX-License-Identifier: Apache-2.0
// A registry that many threads read while others change it.
#include "host/registry/shared_registry.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

Candidate candidate(const std::string& id) {
  EngineManifest manifest;
  manifest.file = "/engines/" + id + ".json";
  manifest.id = id;
  manifest.abi_major = RH_ABI_MAJOR;
  return {manifest.file, "user", manifest, std::nullopt, std::nullopt};
}

class SharedRegistryTest : public ::testing::Test {
 protected:
  std::atomic<int> engines_{2};
  SharedRegistry registry_{[this] {
    std::vector<Candidate> found;
    for (int i = 0; i < engines_; ++i)
      found.push_back(candidate("e" + std::to_string(i)));
    return found;
  }};
};

TEST_F(SharedRegistryTest, ASnapshotNeverChanges) {
  const auto before = registry_.snapshot();
  registry_.update(
      [](Registry& registry) { registry.set_error("/engines/e0.json", Error(RH_ENGINE_BROKEN, "broken")); });
  EXPECT_NE(before->find("e0"), nullptr);
  EXPECT_EQ(registry_.snapshot()->find("e0"), nullptr);
}

TEST_F(SharedRegistryTest, AChangeThatThrowsChangesNothing) {
  const auto change = [](Registry& registry) {
    registry.set_error("/engines/e0.json", Error(RH_ENGINE_BROKEN, "broken"));
    throw Error(RH_INTERNAL, "changed my mind");
  };
  EXPECT_THROW(registry_.update(change), Error);
  EXPECT_NE(registry_.snapshot()->find("e0"), nullptr);
}

TEST_F(SharedRegistryTest, ARescanFindsNewEnginesAndForgetsFailures) {
  registry_.update(
      [](Registry& registry) { registry.set_error("/engines/e0.json", Error(RH_ENGINE_BROKEN, "broken")); });
  engines_ = 3;
  EXPECT_EQ(registry_.snapshot()->find("e2"), nullptr);
  registry_.rescan();
  EXPECT_NE(registry_.snapshot()->find("e2"), nullptr);
  EXPECT_NE(registry_.snapshot()->find("e0"), nullptr);
}

TEST_F(SharedRegistryTest, TheDefaultEngineIsOneThatThereIs) {
  EXPECT_EQ(registry_.default_engine(), std::nullopt);
  registry_.set_default_engine("e1");
  EXPECT_EQ(registry_.default_engine(), "e1");
  try {
    registry_.set_default_engine("vulkan");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_ENGINE_NOT_FOUND);
    EXPECT_STREQ(error.what(), "engine 'vulkan' was not found among: e0, e1");
  }
  EXPECT_EQ(registry_.default_engine(), "e1");
  registry_.set_default_engine("auto");
  EXPECT_EQ(registry_.default_engine(), std::nullopt);
}

TEST_F(SharedRegistryTest, ThreadsReadWhileOthersWrite) {
  std::vector<std::thread> threads;
  std::atomic<int> found{0};
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([this, thread, &found] {
      for (int i = 0; i < 200; ++i) {
        if (thread == 0) registry_.rescan();
        if (thread == 1) registry_.update([](Registry& registry) { registry.set_error("x", Error(1, "")); });
        if (thread == 2) registry_.set_default_engine(i % 2 == 0 ? "e0" : "auto");
        if (thread > 2) found += registry_.snapshot()->find("e1") != nullptr ? 1 : 0;
        registry_.default_engine();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(found, 600);
}

}  // namespace
}  // namespace roundhouse::host
