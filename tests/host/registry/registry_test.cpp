// SPDX-License-Identifier: Apache-2.0
// The states of a candidate, what a report changes, and the report's way through JSON.
#include "host/registry/registry.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "roundhouse/base.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EngineManifest manifest(const std::string& id) {
  EngineManifest result;
  result.file = "/engines/" + id + ".json";
  result.id = id;
  result.name = "Engine";
  result.version = "1.0";
  result.maturity = "stable";
  result.abi_major = RH_ABI_MAJOR;
  result.score = 10;
  result.capabilities = {{"task", {"text-to-image"}}, {"dtype", {"f32", "bf16"}}};
  result.limits = {{"width", {16, 2048, 16}}};
  return result;
}

Candidate candidate(const EngineManifest& manifest) {
  return {manifest.file, "user", manifest, std::nullopt, std::nullopt};
}

EngineReport report_like(const EngineManifest& manifest) {
  EngineReport report;
  report.id = manifest.id;
  report.name = manifest.name;
  report.version = manifest.version;
  report.maturity = manifest.maturity;
  report.score = manifest.score;
  report.capabilities = manifest.capabilities;
  report.limits = manifest.limits;
  return report;
}

TEST(RegistryTest, AnUnreadableManifestIsARowNamedAfterItsFile) {
  const Registry registry(
      {{"/engines/odd.json", "user", std::nullopt, Error(RH_ENGINE_BROKEN, "id: is missing"), std::nullopt}});
  const EngineRecord& record = registry.records().at(0);
  EXPECT_EQ(record.id, "odd");
  EXPECT_EQ(record.state, EngineState::unusable);
  EXPECT_EQ(record.error->code(), RH_ENGINE_BROKEN);
  EXPECT_THAT(record.capabilities(), IsEmpty());
  EXPECT_EQ(registry.find("odd"), nullptr);
}

TEST(RegistryTest, AnotherAbiIsRefusedWithoutLoading) {
  EngineManifest other = manifest("x");
  other.abi_major = RH_ABI_MAJOR + 1;
  const Registry registry({candidate(other)});
  EXPECT_EQ(registry.records().at(0).state, EngineState::unusable);
  EXPECT_EQ(registry.records().at(0).error->code(), RH_ENGINE_INCOMPATIBLE);
  EXPECT_THAT(registry.records().at(0).error->what(), HasSubstr("speaks ABI 2.0, this host speaks 1."));
}

TEST(RegistryTest, ANewerMinorAbiIsListed) {
  EngineManifest newer = manifest("x");
  newer.abi_minor = 99;
  EXPECT_EQ(Registry({candidate(newer)}).records().at(0).state, EngineState::listed);
}

TEST(RegistryTest, ADuplicateIsReportedAndNotUsed) {
  EngineManifest second = manifest("x");
  second.file = "/other/x.json";
  Candidate duplicate = candidate(second);
  duplicate.duplicate_of = "/engines/x.json";
  const Registry registry({candidate(manifest("x")), duplicate});
  EXPECT_EQ(registry.records().at(1).state, EngineState::duplicate);
  EXPECT_THAT(registry.records().at(1).error->what(), HasSubstr("'/engines/x.json' came first"));
  EXPECT_EQ(registry.find("x")->manifest_file, "/engines/x.json");
}

TEST(RegistryTest, AReportMakesTheEngineAvailable) {
  Registry registry({candidate(manifest("x"))});
  EXPECT_EQ(registry.records().at(0).state, EngineState::listed);
  EngineReport report = report_like(manifest("x"));
  std::reverse(report.capabilities.at("dtype").begin(), report.capabilities.at("dtype").end());
  registry.set_report("/engines/x.json", report);
  EXPECT_EQ(registry.records().at(0).state, EngineState::available);
  EXPECT_THAT(registry.records().at(0).differences, IsEmpty());
}

TEST(RegistryTest, TheReportIsTheTruthAndEveryDifferenceIsALine) {
  Registry registry({candidate(manifest("x"))});
  EngineReport report = report_like(manifest("x"));
  report.version = "1.1";
  report.score = 20;
  report.capabilities.at("dtype") = {"f32"};
  report.capabilities["feature"] = {"lora"};
  report.limits.at("width").maximum = 1024;
  registry.set_report("/engines/x.json", report);
  const EngineRecord& record = *registry.find("x");
  EXPECT_EQ(record.score(), 20);
  EXPECT_EQ(record.limits().at("width").maximum, 1024);
  EXPECT_THAT(record.differences,
              ElementsAre("version: the manifest says 1.0, the plugin 1.1",
                          "score: the manifest says 10, the plugin 20",
                          "capabilities.dtype: the manifest says bf16, f32, the plugin f32",
                          "capabilities.feature: the manifest says nothing, the plugin lora",
                          "limits.width: the manifest says 16 to 2048 in multiples of 16, the plugin 16 to "
                          "1024 in multiples of 16"));
}

TEST(RegistryTest, APluginThatCallsItselfOtherwiseIsBroken) {
  Registry registry({candidate(manifest("x"))});
  registry.set_report("/engines/x.json", report_like(manifest("y")));
  EXPECT_EQ(registry.records().at(0).state, EngineState::unusable);
  EXPECT_EQ(registry.records().at(0).error->code(), RH_ENGINE_BROKEN);
  EXPECT_THAT(registry.records().at(0).error->what(), HasSubstr("'y'"));
}

TEST(RegistryTest, AFailedProbeMakesTheEngineUnusableAndLeavesItsNeighbours) {
  Registry registry({candidate(manifest("x")), candidate(manifest("y"))});
  registry.set_error("/engines/x.json", Error(RH_ENGINE_CRASHED, "died"));
  EXPECT_EQ(registry.find("x"), nullptr);
  EXPECT_NE(registry.find("y"), nullptr);
  EXPECT_EQ(registry.records().at(0).score(), 0);
  EXPECT_EQ(state_name(registry.records().at(0).state), "unusable");
}

TEST(RegistryTest, AReportGoesThroughJsonUnchanged) {
  EngineReport report = report_like(manifest("x"));
  report.vendor = "Müller";
  report.description = "D";
  report.facts = {{"simd", "AVX3"}, {"threads", "2"}};
  report.remarks = {"printed 12 bytes"};
  const nlohmann::json json = report;
  const auto back = json.get<EngineReport>();
  EXPECT_EQ(nlohmann::json(back), json);
  EXPECT_EQ(back.facts, report.facts);
  EXPECT_EQ(back.limits.at("width").multiple_of, 16);
}

TEST(RegistryTest, AReportWithAFieldMissingIsRefused) {
  nlohmann::json json = report_like(manifest("x"));
  json.erase("limits");
  EXPECT_THROW(json.get<EngineReport>(), nlohmann::json::exception);
}

}  // namespace
}  // namespace roundhouse::host
