// SPDX-License-Identifier: Apache-2.0
// Engines and models that plans are made of, without starting any.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/session/session.h"
#include "roundhouse/base.h"

namespace roundhouse::host {

inline EngineManifest engine(const std::string& id, int score, std::vector<std::string> features) {
  EngineManifest manifest;
  manifest.file = "/engines/" + id + ".json";
  manifest.library = "/engines/" + id + ".so";
  manifest.id = id;
  manifest.maturity = "stable";
  manifest.abi_major = RH_ABI_MAJOR;
  manifest.score = score;
  manifest.capabilities = {{"task", {"text-to-image"}},          {"device", {"cpu"}},
                           {"weight-format", {"safetensors"}},   {"dtype", {"f32", "bf16", "f16"}},
                           {"sampler", {"euler", "dpmpp-2m"}},   {"schedule", {"flow", "native"}},
                           {"architecture", {"ZImagePipeline"}}, {"feature", std::move(features)}};
  return manifest;
}

inline EngineManifest modelless_engine() {
  EngineManifest manifest = engine("card", 0, {"modelless"});
  manifest.capabilities.erase("architecture");
  manifest.maturity = "teaching";
  manifest.limits["width"] = manifest.limits["height"] = {16, 512, 16};
  return manifest;
}

inline std::vector<Candidate> candidates(const std::vector<EngineManifest>& manifests) {
  std::vector<Candidate> list;
  for (const auto& manifest : manifests)
    list.push_back({manifest.file, "flag", manifest, std::nullopt, std::nullopt});
  return list;
}

// Two engines, a teaching one, and the models of the tree.
class PlanTest : public ::testing::Test {
 protected:
  PlanTest()
      : registry_(candidates(
            {engine("fast", 100, {"guidance", "negative-prompt", "cfg-normalization"}),
             engine("plain", 10, {"guidance", "negative-prompt", "cfg-normalization", "cfg-truncation"}),
             modelless_engine()})),
        models_(ModelSearch{{ROUNDHOUSE_MODELS}, {}}) {
    request_.prompt = "a red circle";
  }

  GeneratePlan plan() const {
    return make_plan(request_, registry_, models_, [] { return std::uint64_t{1} << 63 | 42; });
  }

  void expect_refused(rh_status code, const std::string& part) const {
    try {
      plan();
      ADD_FAILURE() << "no error, expected " << status_name(code) << ": " << part;
    } catch (const Error& error) {
      EXPECT_EQ(status_name(error.code()), status_name(code)) << error.what();
      EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
    }
  }

  GenerateRequest request_;
  Registry registry_;
  ModelCatalogue models_;
};

}  // namespace roundhouse::host
