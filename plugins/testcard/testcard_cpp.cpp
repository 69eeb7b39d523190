// SPDX-License-Identifier: Apache-2.0
// The C++ twin of testcard.c: the same image over the glue of the SDK.
#include "card.h"
#include "roundhouse/plugin.hpp"

namespace rh = roundhouse;

struct Card final : rh::ImageModel {
  void generate(const rh::ImageRequest& request, rh::Options&, rh::Sink& sink) override {
    std::vector<float> rgb(std::size_t{3} * request.width * request.height);
    for (std::uint32_t step = 1; step <= request.steps; ++step) {
      card_band(request.width, request.height, request.seed, step, request.steps, rgb.data());
      sink.progress(RH_STAGE_DENOISE, step, request.steps);
      if (sink.wants_preview(step)) sink.preview(request.width, request.height, rgb);
    }
    sink.stage(RH_STAGE_DENOISE);
    sink.image(rgb);
  }
};

struct TestCard final : rh::EngineOf<Card> {
  static rh::Descriptor descriptor() {
    return {
        .id = "testcard-cpp",
        .name = "Test card (C++)",
        .vendor = "Roundhouse",
        .version = "1.0.0",
        .description = "Draws the test card through the C++ glue, to show how a plugin is made.",
        .maturity = RH_MATURITY_TEACHING,
        .capabilities = rh::groups(
            {{"task", {"text-to-image"}}, {"feature", {"modelless", "seed", "cancel"}}, {"device", {"cpu"}}}),
        .limits = {{"width", 16, 2048, 16}, {"height", 16, 2048, 16}, {"steps", 1, 50, 1}}};
  }
};

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = rh::plugin_entry<TestCard>;
