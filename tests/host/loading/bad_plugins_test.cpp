// SPDX-License-Identifier: Apache-2.0
// Every safe line of tests/host/bad_plugins/defects.inc: the defect shows in its phase, as its code, with its
// words, and afterwards a good engine works.
#include <gmock/gmock.h>

#include "tests/host/loading/bad_engines.h"
#include "tests/host/loading/error_of.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

enum class Host { safe, deadly };
enum class Phase { probe, open, generate, estimate, convert, inspect, bench, rates, trace, text, embed };

struct BadPlugin {
  const char* defect;
  Host host;
  Phase phase;
  rh_status code;
  const char* part;
};

const BadPlugin kBadPlugins[] = {
#define BAD_PLUGIN(defect, host, phase, code, part) {#defect, Host::host, Phase::phase, RH_##code, part},
#include "tests/host/bad_plugins/defects.inc"
#undef BAD_PLUGIN
};

std::vector<BadPlugin> safe_ones() {
  std::vector<BadPlugin> result;
  for (const auto& plugin : kBadPlugins) {
    if (plugin.host == Host::safe) result.push_back(plugin);
  }
  return result;
}

std::string test_name(const ::testing::TestParamInfo<BadPlugin>& info) {
  return info.param.defect;
}

class BadPluginTest : public ::testing::TestWithParam<BadPlugin> {};

void expect_works(const BadPlugin& plugin) {
  Use use(plugin.defect);
  const EngineReport report = use.probe();
  EXPECT_THAT(::testing::PrintToString(report.remarks), HasSubstr(plugin.part));
  use.open();
  use.generate();
  EXPECT_EQ(use.received.images, 1);
}

void expect_fails(const BadPlugin& plugin) {
  Use use(plugin.defect);
  Error error(RH_OK, "no error");
  if (plugin.phase == Phase::probe) error = error_of([&] { use.probe(); });
  if (plugin.phase != Phase::probe) use.probe();
  if (plugin.phase == Phase::open) error = error_of([&] { use.open(); });
  if (plugin.phase == Phase::generate) {
    use.open();
    error = error_of([&] { use.generate(); });
  }
  if (plugin.phase == Phase::text || plugin.phase == Phase::embed) {
    use.open();
    error = error_of([&] { plugin.phase == Phase::text ? use.text() : use.embed(); });
  }
  if (plugin.phase == Phase::estimate) error = error_of([&] { use.estimate(); });
  if (plugin.phase == Phase::convert) error = error_of([&] { use.convert(); });
  if (plugin.phase == Phase::inspect) error = error_of([&] { use.inspect(); });
  if (plugin.phase == Phase::bench) error = error_of([&] { use.bench(); });
  EXPECT_EQ(error.code(), plugin.code) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(plugin.part));
  if (error.code() == RH_ENGINE_BROKEN) {
    EXPECT_THAT(error.what(), HasSubstr("engine 'bad-"));
    EXPECT_THAT(error.what(), HasSubstr("(rule P"));
  }
}

TEST_P(BadPluginTest, ShowsAsItsErrorAndTheNextEngineWorks) {
  if (GetParam().code == RH_OK) {
    expect_works(GetParam());
  } else {
    expect_fails(GetParam());
  }
  Use next("good");
  next.probe();
  next.open();
  next.generate();
  EXPECT_EQ(next.received.images, 1);
}

INSTANTIATE_TEST_SUITE_P(Defects, BadPluginTest, ::testing::ValuesIn(safe_ones()), test_name);

}  // namespace
}  // namespace roundhouse::host
