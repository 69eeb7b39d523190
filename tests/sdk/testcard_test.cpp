// SPDX-License-Identifier: Apache-2.0
// The teaching plugin and its twin, loaded as a host loads them.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sdk/fake_host.h"

namespace {

using roundhouse::test::FakeHost;
using roundhouse::test::FakeSink;

// One loaded test card with an open model.
class Card {
 public:
  explicit Card(const std::string& id) {
    const std::string path = std::string(ROUNDHOUSE_BINARY_DIR "/engines/") + id + ".so";
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) throw std::runtime_error(dlerror());
    entry_ = static_cast<const rh_plugin_entry_v1*>(dlsym(library_, RH_PLUGIN_ENTRY_SYMBOL));
    EXPECT_EQ(entry_->init(&host_.record, &error_), RH_OK);
    const auto* factory = static_cast<const rh_engine_factory*>(entry_->get_factory(RH_ENGINE_FACTORY_ID));
    const rh_engine_config config{sizeof config, 1, "cpu", nullptr};
    EXPECT_EQ(factory->create_engine(id.c_str(), &config, &engine_, &error_), RH_OK) << error_.message;
    const rh_model_source source{sizeof source, 0, nullptr, nullptr, 0, nullptr, nullptr};
    EXPECT_EQ(engine_->open_model(engine_, &source, &model_, &error_), RH_OK) << error_.message;
    image_ = static_cast<const rh_image*>(model_->get_extension(model_, RH_IMAGE_ID));
  }
  ~Card() {
    model_->close(model_);
    engine_->destroy(engine_);
    entry_->deinit();
  }
  Card(const Card&) = delete;
  Card& operator=(const Card&) = delete;

  rh_status draw(std::uint32_t width, std::uint32_t height, std::uint32_t steps, std::uint64_t seed,
                 FakeSink& sink) {
    rh_image_request request{};
    request.struct_size = sizeof request;
    request.width = width;
    request.height = height;
    request.steps = steps;
    request.seed = seed;
    request.prompt = "a test card";
    return image_->generate(model_, &request, &sink.record, &error_);
  }
  const char* message() const { return error_.message; }

 private:
  FakeHost host_;
  rh_error error_{sizeof(rh_error), RH_OK, {}};
  void* library_ = nullptr;
  const rh_plugin_entry_v1* entry_ = nullptr;
  rh_engine* engine_ = nullptr;
  rh_model* model_ = nullptr;
  const rh_image* image_ = nullptr;
};

TEST(TestCard, both_twins_stop_at_the_step_where_they_are_told_to) {
  for (const char* id : {"testcard", "testcard-cpp"}) {
    Card card(id);
    FakeSink sink;
    sink.stop_at_step = 3;
    EXPECT_EQ(card.draw(64, 64, 8, 1, sink), RH_CANCELLED) << id;
    EXPECT_STREQ(card.message(), "cancelled during denoise, step 3 of 8") << id;
    EXPECT_EQ(sink.images, 0U) << id;
  }
}

TEST(TestCard, the_twin_in_cpp_draws_the_identical_image) {
  Card c("testcard");
  Card cpp("testcard-cpp");
  for (const auto& [width, height, steps, seed] :
       {std::tuple{16U, 16U, 1U, std::uint64_t{0}}, std::tuple{48U, 32U, 7U, std::uint64_t{42}},
        std::tuple{16U, 2048U, 50U, std::uint64_t{1} << 63}, std::tuple{272U, 16U, 50U, UINT64_MAX}}) {
    FakeSink first;
    FakeSink second;
    ASSERT_EQ(c.draw(width, height, steps, seed, first), RH_OK) << c.message();
    ASSERT_EQ(cpp.draw(width, height, steps, seed, second), RH_OK) << cpp.message();
    EXPECT_EQ(first.rgb, second.rgb) << width << "x" << height << " seed " << seed;
    EXPECT_EQ(first.steps, second.steps);
    EXPECT_EQ(first.stages, second.stages);
  }
}

TEST(TestCard, the_seed_moves_the_disc_and_the_steps_change_nothing) {
  Card card("testcard");
  FakeSink one;
  FakeSink other;
  FakeSink steps;
  ASSERT_EQ(card.draw(64, 64, 4, 1, one), RH_OK);
  ASSERT_EQ(card.draw(64, 64, 4, 2, other), RH_OK);
  ASSERT_EQ(card.draw(64, 64, 9, 1, steps), RH_OK);
  EXPECT_NE(one.rgb, other.rgb);
  EXPECT_EQ(one.rgb, steps.rgb);
}

TEST(TestCard, the_bars_are_in_their_order_where_the_disc_is_not) {
  Card card("testcard");
  FakeSink sink;
  ASSERT_EQ(card.draw(112, 112, 1, 3, sink), RH_OK);
  const float bars[7][3] = {{1, 1, 1}, {1, 1, 0}, {0, 1, 1}, {0, 1, 0}, {1, 0, 1}, {1, 0, 0}, {0, 0, 1}};
  for (std::size_t bar = 0; bar < 7; ++bar) {
    int plain = 0;
    for (std::size_t y = 0; y < 84; ++y) {
      const float* pixel = sink.rgb.data() + 3 * (y * 112 + bar * 16 + 8);
      const bool same = pixel[0] == 0.75F * bars[bar][0] && pixel[1] == 0.75F * bars[bar][1] &&
                        pixel[2] == 0.75F * bars[bar][2];
      plain += same ? 1 : 0;
    }
    EXPECT_GE(plain, 84 - 37) << "bar " << bar;  // the disc is 37 pixels high
  }
}

}  // namespace
