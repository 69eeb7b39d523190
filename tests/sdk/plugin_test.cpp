// SPDX-License-Identifier: Apache-2.0
// The glue from the host's side: a plugin made of small engines, called through the C ABI alone.
#include "roundhouse/plugin.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/sdk/fake_host.h"

namespace {

using roundhouse::Error;
using roundhouse::ImageRequest;
using roundhouse::Options;
using roundhouse::Sink;
using roundhouse::test::FakeHost;
using roundhouse::test::FakeSink;

struct RoomError : std::runtime_error {
  using std::runtime_error::runtime_error;
  rh_status code() const { return RH_MODEL_INVALID; }
};

// What the model of the engine "scripted" does next.
std::function<void(const ImageRequest&, Options&, Sink&)> script;
int models_alive = 0;

class ScriptedModel final : public roundhouse::ImageModel {
 public:
  ScriptedModel() { ++models_alive; }
  ~ScriptedModel() override { --models_alive; }
  void generate(const ImageRequest& request, Options& options, Sink& sink) override {
    script(request, options, sink);
  }
  std::uint32_t calls() const noexcept override { return calls_at_once; }
  std::uint32_t calls_at_once = 1;
};

class Scripted final : public roundhouse::Engine {
 public:
  using Exception = RoomError;
  static roundhouse::Descriptor descriptor() {
    return {.id = "scripted",
            .name = "Scripted",
            .vendor = "Tests",
            .version = "1",
            .description = "Does what the test says.",
            .capabilities = {{"task", "text-to-image"}, {"device", "cpu"}}};
  }
  explicit Scripted(const roundhouse::EngineConfig& config) {
    if (config.options.boolean("broken", false)) throw RoomError("told to break");
    config.host.log(roundhouse::LogLevel::info, "io", std::to_string(config.host.thread_budget()));
  }
  roundhouse::Facts describe() const override { return {{"simd", "none"}}; }
  std::unique_ptr<roundhouse::Model> open(const roundhouse::ModelSource& source) override {
    if (source.directory == "/null") return nullptr;
    if (source.directory == "/broken") throw RoomError("config.json: broken");
    source.sink.progress(0.5);
    source.sink.check_cancelled();
    return std::make_unique<ScriptedModel>();
  }
  const void* extension(std::string_view id) override {
    if (id == "throws/1") throw Error(RH_TIMEOUT, "no");
    return id == "address/1" ? this : nullptr;
  }
};

class Plain final : public roundhouse::Engine {
 public:
  static roundhouse::Descriptor descriptor() {
    return {.id = "plain", .capabilities = {{"feature", "modelless"}, {"device", "cpu"}}};
  }
  std::unique_ptr<roundhouse::Model> open(const roundhouse::ModelSource&) override {
    return std::make_unique<roundhouse::Model>();
  }
};

constexpr rh_plugin_entry_v1 entry = roundhouse::plugin_entry<Scripted, Plain>;

class Plugin : public testing::Test {
 protected:
  Plugin() {
    EXPECT_EQ(entry.init(&host.record, &error), RH_OK);
    factory = static_cast<const rh_engine_factory*>(entry.get_factory(RH_ENGINE_FACTORY_ID));
  }
  ~Plugin() override {
    if (model != nullptr) model->close(model);
    if (engine != nullptr) engine->destroy(engine);
    entry.deinit();
    EXPECT_EQ(models_alive, 0);
  }

  rh_status create(const char* id = "scripted") {
    return factory->create_engine(id, &config, &engine, &error);
  }
  rh_status open(const char* directory = "/model") {
    source.directory = directory;
    return engine->open_model(engine, &source, &model, &error);
  }
  rh_status generate(std::function<void(const ImageRequest&, Options&, Sink&)> work) {
    if (engine == nullptr && create() != RH_OK) ADD_FAILURE() << error.message;
    if (model == nullptr && open() != RH_OK) ADD_FAILURE() << error.message;
    script = std::move(work);
    const auto* image = static_cast<const rh_image*>(model->get_extension(model, RH_IMAGE_ID));
    return image->generate(model, &request, &sink.record, &error);
  }
  static std::string fact(const rh_facts* list, const std::string& key) {
    for (std::uint32_t i = 0; i < list->count; ++i) {
      if (list->items[i].key == key) return list->items[i].value;
    }
    return "absent";
  }

  FakeHost host;
  FakeSink sink;
  rh_error error{sizeof error, RH_OK, {}};
  rh_engine_config config{sizeof config, 2, "cpu", nullptr};
  rh_model_source source{sizeof source, 0, nullptr, "ScriptedPipeline", 0, nullptr, nullptr};
  rh_image_request request = [] {
    rh_image_request made{};
    made.struct_size = sizeof made;
    made.width = 4;
    made.height = 2;
    made.steps = 2;
    made.prompt = "p";
    return made;
  }();
  rh_option unknown{sizeof unknown, RH_OPTION_INTEGER, "unknown", nullptr, 1, 0};
  rh_options unknown_list{sizeof unknown_list, 1, &unknown};
  const rh_engine_factory* factory = nullptr;
  rh_engine* engine = nullptr;
  rh_model* model = nullptr;
};

const std::vector<float> grey(std::size_t{4} * 2 * 3, 0.25F);

TEST_F(Plugin, refuses_a_host_of_another_major_version_or_a_small_one) {
  rh_host other = host.record;
  other.abi_version = (RH_ABI_MAJOR + 1) << 16;
  EXPECT_EQ(entry.init(&other, &error), RH_ENGINE_INCOMPATIBLE);
  other = host.record;
  other.struct_size = 8;
  EXPECT_EQ(entry.init(&other, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(entry.init(nullptr, &error), RH_INVALID_ARGUMENT);
}

TEST_F(Plugin, refuses_null_and_small_records_in_every_call) {
  EXPECT_EQ(factory->create_engine(nullptr, &config, &engine, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(factory->create_engine("scripted", nullptr, &engine, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(factory->create_engine("scripted", &config, nullptr, &error), RH_INVALID_ARGUMENT);
  config.struct_size = 8;
  EXPECT_EQ(create(), RH_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "config: struct_size is 8, expected at least 24");
  config.struct_size = sizeof config;
  ASSERT_EQ(create(), RH_OK);
  EXPECT_EQ(engine->open_model(engine, nullptr, &model, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(engine->open_model(nullptr, &source, &model, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(engine->get_extension(engine, nullptr), nullptr);
  ASSERT_EQ(open(), RH_OK);
  const auto* image = static_cast<const rh_image*>(model->get_extension(model, RH_IMAGE_ID));
  EXPECT_EQ(image->generate(model, nullptr, &sink.record, &error), RH_INVALID_ARGUMENT);
  EXPECT_EQ(image->generate(model, &request, nullptr, &error), RH_INVALID_ARGUMENT);
  request.prompt = nullptr;
  EXPECT_EQ(image->generate(model, &request, &sink.record, &error), RH_INVALID_ARGUMENT);
}

TEST_F(Plugin, refuses_another_id_another_device_no_threads_and_unknown_options) {
  EXPECT_EQ(create("nobody"), RH_ENGINE_NOT_FOUND);
  config.device = "cuda";
  EXPECT_EQ(create(), RH_UNSUPPORTED_DEVICE);
  config.device = nullptr;
  EXPECT_EQ(create(), RH_INVALID_ARGUMENT);
  config.device = "cpu";
  config.threads = 0;
  EXPECT_EQ(create(), RH_INVALID_ARGUMENT);
  config.threads = 1;
  config.options = &unknown_list;
  EXPECT_EQ(create(), RH_UNKNOWN_OPTION);
  EXPECT_STREQ(error.message, "option 'unknown' is not known to engine 'scripted'");
  EXPECT_EQ(create("plain"), RH_UNKNOWN_OPTION);
  EXPECT_EQ(engine, nullptr);
}

TEST_F(Plugin, translates_the_engines_own_exception_type_everywhere) {
  rh_option broken{sizeof broken, RH_OPTION_BOOLEAN, "broken", nullptr, 1, 0};
  const rh_options list{sizeof list, 1, &broken};
  config.options = &list;
  EXPECT_EQ(create(), RH_MODEL_INVALID);
  EXPECT_STREQ(error.message, "told to break");
  config.options = nullptr;
  ASSERT_EQ(create(), RH_OK);
  EXPECT_EQ(open("/broken"), RH_MODEL_INVALID);
  EXPECT_EQ(generate([](auto&, auto&, auto&) { throw RoomError("bad layer"); }), RH_MODEL_INVALID);
  EXPECT_STREQ(error.message, "bad layer");
}

TEST_F(Plugin, refuses_to_open_nothing_and_unknown_options) {
  ASSERT_EQ(create(), RH_OK);
  EXPECT_EQ(open(nullptr), RH_INVALID_ARGUMENT);
  EXPECT_EQ(open("/null"), RH_ENGINE_INTERNAL);
  source.options = &unknown_list;
  EXPECT_EQ(open(), RH_UNKNOWN_OPTION);
  EXPECT_EQ(models_alive, 0);
}

TEST_F(Plugin, stops_opening_when_the_host_says_so) {
  ASSERT_EQ(create(), RH_OK);
  const rh_load_sink stopping{sizeof stopping, 0, nullptr, nullptr, [](void*) { return 1; }};
  source.sink = &stopping;
  EXPECT_EQ(open(), RH_CANCELLED);
}

TEST_F(Plugin, a_generate_without_an_image_or_with_two_is_a_fault) {
  EXPECT_EQ(generate([](auto&, auto&, auto&) {}), RH_ENGINE_INTERNAL);
  EXPECT_STREQ(error.message, "generate ended without an image");
  EXPECT_EQ(generate([](auto&, auto&, Sink& out) {
              out.image(grey);
              out.image(grey);
            }),
            RH_ENGINE_INTERNAL);
  EXPECT_EQ(sink.images, 1U);
}

TEST_F(Plugin, an_image_of_the_wrong_size_or_with_a_nan_never_reaches_the_host) {
  EXPECT_EQ(generate([](auto&, auto&, Sink& out) { out.image(std::vector<float>(7)); }), RH_ENGINE_INTERNAL);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(generate([&](auto&, auto&, Sink& out) {
                std::vector<float> values = grey;
                values.back() = bad;
                out.image(values);
              }),
              RH_PIPELINE_ERROR);
    EXPECT_STREQ(error.message, "decode: 1 values of the image are not finite");
  }
  EXPECT_EQ(sink.images, 0U);
}

TEST_F(Plugin, an_unread_option_is_refused_at_the_first_report_of_work) {
  request.options = &unknown_list;
  bool went_on = false;
  EXPECT_EQ(generate([&](auto&, auto&, Sink& out) {
              out.progress(RH_STAGE_ENCODE, 1, 1);
              went_on = true;
            }),
            RH_UNKNOWN_OPTION);
  EXPECT_FALSE(went_on);
  EXPECT_EQ(generate([](auto&, Options& options, Sink& out) {
              options.integer("unknown", 0);
              out.image(grey);
            }),
            RH_OK);
}

TEST_F(Plugin, a_host_that_answers_progress_with_stop_cancels) {
  sink.stop_at_step = 2;
  EXPECT_EQ(generate([](const ImageRequest& got, auto&, Sink& out) {
              for (std::uint32_t step = 1; step <= 8; ++step)
                out.progress(RH_STAGE_DENOISE, step, 8);
              out.image(std::vector<float>(got.width));
            }),
            RH_CANCELLED);
  EXPECT_STREQ(error.message, "cancelled during denoise, step 2 of 8");
  EXPECT_EQ(sink.steps.size(), 2U);
}

TEST_F(Plugin, the_error_of_the_sink_comes_back_unchanged) {
  sink.answer = RH_INSUFFICIENT_STORAGE;
  EXPECT_EQ(generate([](auto&, auto&, Sink& out) { out.image(grey); }), RH_INSUFFICIENT_STORAGE);
  EXPECT_STREQ(error.message, "the sink is full");
}

TEST_F(Plugin, images_whose_rows_do_not_fit_are_refused_before_the_engine_sees_them) {
  const unsigned char bytes[6] = {};
  rh_pixels pixels{sizeof pixels, RH_PIXELS_RGB_U8, 2, 1, 6, 6, bytes};
  request.init_image = &pixels;
  auto work = [](auto&, auto&, Sink& out) { out.image(grey); };
  EXPECT_EQ(generate(work), RH_OK);
  for (const rh_pixels& bad :
       {rh_pixels{sizeof pixels, 9, 2, 1, 6, 6, bytes},
        rh_pixels{sizeof pixels, RH_PIXELS_RGB_U8, 3, 1, 6, 6, bytes},
        rh_pixels{sizeof pixels, RH_PIXELS_RGB_U8, 2, 2, 6, 6, bytes},
        rh_pixels{sizeof pixels, RH_PIXELS_RGB_U8, 2, 0, 6, 6, bytes},
        rh_pixels{sizeof pixels, RH_PIXELS_RGB_U8, 2, 1, 6, 6, nullptr},
        rh_pixels{sizeof pixels, RH_PIXELS_RGB_U8, 1U << 31, 1U << 31, UINT64_MAX, UINT64_MAX, bytes}}) {
    pixels = bad;
    EXPECT_EQ(generate(work), RH_INVALID_ARGUMENT);
  }
}

TEST_F(Plugin, hands_the_request_over_as_it_came) {
  const rh_lora loras[] = {{sizeof(rh_lora), 0, "/a", 0.5}, {sizeof(rh_lora), 0, "/b", -1}};
  request.loras = loras;
  request.lora_count = 2;
  request.negative_prompt = "";
  request.sampler = "euler";
  request.seed = UINT64_MAX;
  EXPECT_EQ(generate([](const ImageRequest& got, auto&, Sink& out) {
              EXPECT_EQ(got.width, 4U);
              EXPECT_EQ(got.steps, 2U);
              EXPECT_EQ(got.prompt, "p");
              EXPECT_TRUE(got.negative_prompt.has_value());
              EXPECT_EQ(got.sampler, "euler");
              EXPECT_EQ(got.schedule, "");
              EXPECT_EQ(got.seed, UINT64_MAX);
              ASSERT_EQ(got.loras.size(), 2U);
              EXPECT_EQ(got.loras[1].path, "/b");
              EXPECT_EQ(got.loras[1].strength, -1);
              out.stage(RH_STAGE_DENOISE);
              out.image(grey);
            }),
            RH_OK);
  EXPECT_EQ(sink.rgb, grey);
  EXPECT_EQ(sink.stages, std::vector<std::uint32_t>{RH_STAGE_DENOISE});
}

TEST_F(Plugin, describes_engines_and_models_and_adds_what_the_author_left_out) {
  ASSERT_EQ(create(), RH_OK);
  EXPECT_EQ(fact(engine->describe(engine), "simd"), "none");
  EXPECT_EQ(fact(engine->describe(engine), "device"), "cpu");
  EXPECT_EQ(fact(engine->describe(engine), "threads"), "2");
  ASSERT_EQ(open(), RH_OK);
  EXPECT_EQ(fact(model->describe(model), "architecture"), "ScriptedPipeline");
  EXPECT_EQ(host.log, std::vector<std::string>{"2 io: 3"});
}

TEST_F(Plugin, lists_several_engines_and_ends_the_list) {
  EXPECT_EQ(factory->count(), 2U);
  EXPECT_STREQ(factory->descriptor(0)->id, "scripted");
  EXPECT_STREQ(factory->descriptor(1)->id, "plain");
  EXPECT_EQ(factory->descriptor(2), nullptr);
  EXPECT_EQ(entry.get_factory("other/1"), nullptr);
  EXPECT_EQ(entry.get_factory(nullptr), nullptr);
}

TEST_F(Plugin, an_extension_that_throws_is_one_that_is_not_there) {
  ASSERT_EQ(create(), RH_OK);
  EXPECT_EQ(engine->get_extension(engine, "throws/1"), nullptr);
  EXPECT_EQ(engine->get_extension(engine, "address/1"), &roundhouse::engine_of<Scripted>(engine));
}

TEST_F(Plugin, a_model_says_how_many_calls_it_takes_at_once_where_that_is_not_one) {
  ASSERT_EQ(create(), RH_OK);
  ASSERT_EQ(open("/m"), RH_OK);
  EXPECT_EQ(model->get_extension(model, RH_CONCURRENCY_ID), nullptr) << "one call";
  roundhouse::model_of<ScriptedModel>(model).calls_at_once = 3;
  const auto* concurrency =
      static_cast<const rh_concurrency*>(model->get_extension(model, RH_CONCURRENCY_ID));
  ASSERT_NE(concurrency, nullptr);
  EXPECT_EQ(concurrency->calls(model), 3U);
}

TEST_F(Plugin, a_model_that_makes_no_images_has_no_image_extension) {
  ASSERT_EQ(create("plain"), RH_OK);
  ASSERT_EQ(open(nullptr), RH_OK);
  EXPECT_EQ(model->get_extension(model, RH_IMAGE_ID), nullptr);
}

}  // namespace
