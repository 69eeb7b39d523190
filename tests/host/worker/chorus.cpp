// SPDX-License-Identifier: Apache-2.0
// An engine whose model takes several calls at once (four, or what its option "calls" says), and does what
// the prompt says: waits for company, takes its time, tells which thread it is on.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string_view>

#include "roundhouse/plugin.hpp"

namespace {

using roundhouse::Error;

// Opens when so many are inside, for all of them.
class Barrier {
 public:
  void enter(std::uint32_t wanted, const roundhouse::Sink& sink) {
    std::unique_lock lock(mutex_);
    const std::uint32_t round = round_;
    if (++inside_ == wanted) {
      inside_ = 0;
      ++round_;
      changed_.notify_all();
    }
    while (round_ == round) {
      changed_.wait_for(lock, std::chrono::milliseconds(5));
      if (!sink.cancelled()) continue;
      --inside_;
      throw Error(RH_CANCELLED, "stopped");
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint32_t inside_ = 0, round_ = 0;
};

class Chorus final : public roundhouse::ImageModel {
 public:
  explicit Chorus(const roundhouse::ModelSource& source)
      : calls_(static_cast<std::uint32_t>(source.options.integer("calls", 4))) {}

  std::uint32_t calls() const noexcept override { return calls_; }

  // The first pixel tells the seed and the thread; all others are the seed's shade of grey.
  void generate(const roundhouse::ImageRequest& request, roundhouse::Options&,
                roundhouse::Sink& sink) override {
    const std::string_view prompt = request.prompt;
    if (prompt == "together") barrier_.enter(calls_, sink);
    if (prompt == "together, then die") {
      barrier_.enter(calls_, sink);
      raise(SIGKILL);
    }
    if (prompt == "hang") sleep(60);
    if (prompt == "fail") throw Error(RH_PIPELINE_ERROR, "as asked");
    for (std::uint32_t step = 1; step <= request.steps; ++step) {
      if (prompt == "slow") usleep(10'000);
      sink.progress(RH_STAGE_DENOISE, step, request.steps);
      if (sink.wants_preview(step)) sink.preview(request.width, request.height, grey(request, 0.5F));
    }
    sink.stage(RH_STAGE_DENOISE);
    std::vector<float> samples = grey(request, static_cast<float>(request.seed % 256) / 255);
    if (prompt == "which thread") {
      const auto thread = static_cast<std::uint32_t>(gettid());
      for (int i = 0; i < 3; ++i)
        samples[static_cast<std::size_t>(i)] = static_cast<float>(thread >> (8 * i) & 255) / 255;
    }
    sink.image(samples);
  }

 private:
  static std::vector<float> grey(const roundhouse::ImageRequest& request, float shade) {
    return std::vector<float>(std::size_t{3} * request.width * request.height, shade);
  }

  const std::uint32_t calls_;
  Barrier barrier_;
};

struct ChorusEngine final : roundhouse::EngineOf<Chorus> {
  static roundhouse::Descriptor descriptor() {
    return {.id = "chorus",
            .name = "Chorus",
            .vendor = "The Roundhouse tests",
            .version = "1.0",
            .description = "Does several things at once.",
            .capabilities = {{"task", "text-to-image"}, {"device", "cpu"}, {"feature", "modelless"}}};
  }
};

}  // namespace

RH_EXPORT const rh_plugin_entry_v1 rh_plugin_entry = roundhouse::plugin_entry<ChorusEngine>;
