// SPDX-License-Identifier: Apache-2.0
// The C++ twin of testcard.c: the same picture over the glue of the SDK.
#include <memory>
#include <vector>

#include "card.h"
#include "roundhouse/plugin.hpp"

namespace {

class Card final : public roundhouse::ImageModel {
  void generate(const roundhouse::ImageRequest& request, roundhouse::Options&,
                roundhouse::Sink& sink) override {
    const std::size_t row = std::size_t{request.width} * 3;
    std::vector<float> rgb(row * request.height);
    std::uint32_t y = 0;
    for (std::uint32_t step = 1; step <= request.steps; ++step) {
      for (; y < std::uint64_t{request.height} * step / request.steps; ++y) {
        card_row(request.width, request.height, request.seed, y, rgb.data() + row * y);
      }
      sink.progress(RH_STAGE_DENOISE, step, request.steps);
      if (sink.wants_preview(step)) sink.preview(request.width, request.height, rgb);
    }
    sink.stage(RH_STAGE_DENOISE);
    sink.image(rgb);
  }
};

class TestCard final : public roundhouse::Engine {
 public:
  static roundhouse::Descriptor descriptor() {
    return {.id = "testcard-cpp",
            .name = "Test card (C++)",
            .vendor = "Roundhouse",
            .version = "1.0.0",
            .description = "Draws the test card through the C++ glue, to show how a plugin is made.",
            .maturity = RH_MATURITY_TEACHING,
            .capabilities = {{"task", "text-to-image"},
                             {"feature", "modelless"},
                             {"feature", "seed"},
                             {"feature", "cancel"},
                             {"device", "cpu"}},
            .limits = {{"width", 16, 2048, 16}, {"height", 16, 2048, 16}, {"steps", 1, 50, 1}}};
  }
  std::unique_ptr<roundhouse::Model> open(const roundhouse::ModelSource&) override {
    return std::make_unique<Card>();
  }
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<TestCard>;
