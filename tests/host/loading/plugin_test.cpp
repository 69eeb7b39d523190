// SPDX-License-Identifier: Apache-2.0
// What a loaded plugin does for its host, beyond the defects of bad_plugins_test.
#include <gmock/gmock.h>

#include <filesystem>
#include <stdexcept>

#include "tests/host/loading/bad_engines.h"
#include "tests/host/loading/error_of.h"

namespace roundhouse::host {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

struct Opened {
  Plugin plugin{bad_engine("good"), 2, {}};
  std::unique_ptr<Plugin::Engine> engine = plugin.create_engine("cpu");
  std::unique_ptr<Plugin::Model> model = open(*engine);

  static std::unique_ptr<Plugin::Model> open(Plugin::Engine& engine) {
    rh_model_source source{};
    source.struct_size = sizeof source;
    return engine.open_model(source);
  }
};

TEST(PluginTest, RefusesADeviceThatTheEngineDoesNotList) {
  Plugin plugin(bad_engine("good"), 1, {});
  const Error error = error_of([&] { plugin.create_engine("metal"); });
  EXPECT_EQ(error.code(), RH_UNSUPPORTED_DEVICE);
  EXPECT_THAT(error.what(), HasSubstr("'metal'"));
  EXPECT_THAT(error.what(), HasSubstr("expected one of: auto, cpu"));
}

TEST(PluginTest, TheRefusalOfTheCallersSinkIsTheErrorOfTheCall) {
  for (const char* engine : {"good", "ignores_refusal"}) {
    Use use(engine);
    use.probe();
    use.open();
    use.received.refusal = RH_INSUFFICIENT_STORAGE;
    EXPECT_EQ(error_of([&] { use.generate(); }).code(), RH_INSUFFICIENT_STORAGE) << engine;
  }
}

TEST(PluginTest, ACancelledCallEndsAsThePluginSays) {
  Use use("good");
  use.probe();
  use.open();
  use.received.cancel = true;
  const Error error = error_of([&] { use.generate(); });
  EXPECT_EQ(error.code(), RH_CANCELLED);
  EXPECT_STREQ(error.what(), "cancelled during denoise");
  EXPECT_EQ(use.received.images, 0);
}

TEST(PluginTest, AnExceptionOfTheCallersSinkDoesNotCrossThePlugin) {
  Opened opened;
  Received received;
  rh_image_sink sink = sink_into(received);
  sink.progress = [](void*, const rh_progress*) -> std::int32_t { throw std::logic_error("the caller's"); };
  EXPECT_THROW(opened.model->generate(small_request(), sink), std::logic_error);
  EXPECT_EQ(received.images, 0);
  EXPECT_NO_THROW(opened.model->generate(small_request(), sink_into(received)));
}

TEST(PluginTest, AnImageThatIsNotSoundNeverReachesTheCaller) {
  for (const char* engine : {"nan_image", "wrong_size", "short_buffer", "null_image"}) {
    Use use(engine);
    use.probe();
    use.open();
    EXPECT_NE(error_of([&] { use.generate(); }).code(), RH_OK);
    EXPECT_EQ(use.received.images, 0) << engine;
  }
}

TEST(PluginTest, ABrokenCallLeavesTheModelUsable) {
  Use use("throw_in_generate");
  use.probe();
  use.open();
  EXPECT_EQ(error_of([&] { use.generate(); }).code(), RH_ENGINE_BROKEN);
  EXPECT_EQ(error_of([&] { use.generate(); }).code(), RH_ENGINE_BROKEN);
}

TEST(PluginTest, PutsBackWhatThePluginChangesInTheProcessAndLogsIt) {
  const auto before = std::filesystem::current_path();
  Use use("changes_directory_in_generate");
  use.probe();
  use.open();
  use.generate();
  EXPECT_EQ(std::filesystem::current_path(), before);
  EXPECT_THAT(use.log, Contains(HasSubstr("changed the working directory in generate (rule P29)")));
}

TEST(PluginTest, AnEndThatThrowsIsLogged) {
  Use use("throw_in_close");
  use.probe();
  use.open();
  use.open();  // closes the first one
  EXPECT_THAT(use.log, Contains(HasSubstr("thrown in close")));
}

TEST(PluginTest, RemarksThatTheManifestNamesAnotherAbi) {
  Use use("newer_minor");
  EXPECT_THAT(use.probe().remarks, Contains(HasSubstr("abi: the manifest says 1.1, the library 1.8")));
}

TEST(PluginTest, ReportsDescriptorAndFacts) {
  Use use("good");
  const EngineReport report = use.probe();
  EXPECT_EQ(report.id, "bad-good");
  EXPECT_EQ(report.maturity, "teaching");
  EXPECT_TRUE(has_capability(report.capabilities, "feature", "modelless"));
  EXPECT_EQ(report.limits.at("width").maximum, 512);
  EXPECT_THAT(report.facts, Contains(Pair("device", "cpu")));
  EXPECT_TRUE(report.remarks.empty()) << ::testing::PrintToString(report.remarks);
  use.open();
  EXPECT_THAT(use.facts, Contains(Pair("dtype.denoise", "f32")));
  use.generate();
  EXPECT_EQ(use.received.steps, 3);
}

TEST(PluginTest, ReportsTheDescriptorAloneBeforeAnEngineIsMade) {
  Plugin plugin(bad_engine("good"), 1, {});
  EXPECT_TRUE(plugin.report(nullptr).facts.empty());
  EXPECT_EQ(plugin.report(nullptr).version, "1.0");
}

TEST(PluginTest, LifetimesEndInTheRightOrderWhicheverOwnerGoesFirst) {
  auto plugin = std::make_unique<Plugin>(bad_engine("good"), 1, PluginLog{});
  auto engine = plugin->create_engine("auto");
  auto model = Opened::open(*engine);
  plugin.reset();
  engine.reset();
  Received received;
  model->generate(small_request(), sink_into(received));
  EXPECT_EQ(received.images, 1);
}

TEST(PluginTest, AnEngineWithoutAnExtensionHasNone) {
  Opened opened;
  try {
    opened.engine->extension<rh_bench>("com.example.unknown/1");
    ADD_FAILURE() << "no error, expected CAPABILITY_UNSUPPORTED";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), RH_CAPABILITY_UNSUPPORTED);
    EXPECT_STREQ(error.what(), "engine 'bad-good': has no extension com.example.unknown/1");
  }
  rh_engine* called = nullptr;
  opened.engine
      ->call("test",
             [&](rh_engine* engine, rh_error*) {
               called = engine;
               return RH_OK;
             })
      .check();
  EXPECT_NE(called, nullptr);
}

}  // namespace
}  // namespace roundhouse::host
