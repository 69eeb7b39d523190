// SPDX-License-Identifier: Apache-2.0
// A host of a few lines for tests: it keeps what it is told.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "roundhouse/roundhouse.h"

namespace roundhouse::test {

class FakeHost {
 public:
  std::vector<std::string> log;
  std::uint32_t threads = 3;
  rh_host record{sizeof(rh_host), RH_ABI_VERSION, this, "fake", "1", &get_extension};

 private:
  static const void* get_extension(const rh_host*, const char* id) {
    static const rh_host_log log{sizeof log, 0, &write};
    static const rh_host_threads threads{sizeof threads, 0, &budget};
    if (std::strcmp(id, RH_LOG_ID) == 0) return &log;
    return std::strcmp(id, RH_THREADS_ID) == 0 ? &threads : nullptr;
  }
  static void write(const rh_host* host, std::uint32_t level, const char* category, const char* message) {
    auto& self = *static_cast<FakeHost*>(host->data);
    self.log.push_back(std::to_string(level) + " " + category + ": " + message);
  }
  static std::uint32_t budget(const rh_host* host) { return static_cast<FakeHost*>(host->data)->threads; }
};

// Takes float images; asks to stop at a step, or refuses the image, when told to.
class FakeSink {
 public:
  std::uint32_t stop_at_step = 0;  // 0 = never
  rh_status answer = RH_OK;
  std::vector<float> rgb;
  unsigned images = 0;
  std::vector<std::uint32_t> steps;
  std::vector<std::uint32_t> stages;
  rh_image_sink record{sizeof(rh_image_sink), 0, this, &progress, &stage, &cancelled, nullptr, &image};

 private:
  static FakeSink& of(void* context) { return *static_cast<FakeSink*>(context); }
  static int32_t progress(void* context, const rh_progress* progress) {
    of(context).steps.push_back(progress->step);
    return progress->step == of(context).stop_at_step ? 1 : 0;
  }
  static void stage(void* context, const rh_stage_report* report) {
    of(context).stages.push_back(report->stage);
  }
  static int32_t cancelled(void*) { return 0; }
  static rh_status image(void* context, const rh_pixels* image, rh_error* error) {
    FakeSink& self = of(context);
    ++self.images;
    const auto* values = static_cast<const float*>(image->data);
    self.rgb.assign(values, values + std::size_t{3} * image->width * image->height);
    if (self.answer != RH_OK) {
      error->code = self.answer;
      std::strcpy(error->message, "the sink is full");
    }
    return self.answer;
  }
};

}  // namespace roundhouse::test
