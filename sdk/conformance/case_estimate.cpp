// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "roundhouse/ext/estimate.h"
#include "roundhouse/floor.hpp"
#include "sdk/conformance/cases.h"
#include "sdk/conformance/text.h"

namespace conformance {
namespace {

constexpr std::uint32_t last_stage = RH_STAGE_DECODE;
constexpr const char* memory_of_process = "cpu";

std::uint32_t smallest(const rh_engine_descriptor& engine, const char* name, double usual) {
  const auto limit = limit_of(engine, name);
  return static_cast<std::uint32_t>(limit ? limit->minimum : usual);
}

// A sink that watches one estimate.
class EstimateWatch {
 public:
  EstimateWatch(Report& report, const rh_engine_descriptor& engine)
      : report_(report),
        engine_(engine),
        call_(std::string(engine.id) + ": estimate"),
        sink_({sizeof(rh_estimate_sink), 0, this, &on_stage, &on_held, &on_memory}, false) {}

  void run(rh_engine* engine, const rh_estimate& estimate, const Subject& subject) {
    const rh_model_source source = source_of(subject, engine_);
    rh_image_request request{};
    request.struct_size = sizeof request;
    request.width = smallest(engine_, "width", 64);
    request.height = smallest(engine_, "height", 64);
    request.steps = smallest(engine_, "steps", 1);
    request.prompt = "conformance";
    request.cfg_truncation = 1;
    ErrorSlot error;
    report_.step("estimate.image");
    const rh_status status = estimate.image(engine, &source, &request, sink_.get(), error.get());
    if (!report_.expect(status == RH_OK, "P33", call_ + " failed: " + error.message()))
      return error.expect_told(report_, status, call_);
    report_.expect(stages_ > 0 && held_times_ == 1, "P33",
                   fmt::format("{} told {} stages, and {} times what is held, expected once", call_, stages_,
                               held_times_));
    report_.expect(true, "P41", "");
    for (const auto& [stage, bytes] : parts_)
      report_.expect(bytes == whole_[stage], "P41",
                     fmt::format("{}: the parts of stage {} come to {} bytes, its memory is {}", call_, stage,
                                 bytes, whole_[stage]));
  }

 private:
  static EstimateWatch& of(void* context) { return *static_cast<EstimateWatch*>(context); }

  static void on_stage(void* context, const rh_stage_estimate* stage) {
    EstimateWatch& watch = of(context);
    if (!watch.report_.expect(roundhouse::reaches_floor(stage), "P10",
                              watch.call_ + ": the record of a stage is NULL or too small"))
      return;
    watch.report_.expect(stage->stage <= last_stage && stage->stage >= watch.next_ && watch.held_times_ == 0,
                         "P33", fmt::format("{} tells stage {} out of order", watch.call_, stage->stage));
    watch.next_ = stage->stage + 1;
    ++watch.stages_;
    watch.whole_[stage->stage] = stage->peak_bytes;
  }

  static void on_held(void* context, std::uint64_t bytes) {
    ++of(context).held_times_;
    of(context).whole_[RH_MEMORY_HELD] = bytes;
  }

  static void on_memory(void* context, const rh_memory_part* part) {
    EstimateWatch& watch = of(context);
    if (!watch.report_.expect(roundhouse::reaches_floor(part), "P10",
                              watch.call_ + ": the record of a part of memory is NULL or too small"))
      return;
    if (!watch.report_.expect(is_text(part->device) && is_text(part->part), "P41",
                              watch.call_ + ": a part of memory has no device or name that is UTF-8"))
      return;
    watch.report_.expect(has_capability(watch.engine_, "device", part->device), "P41",
                         watch.call_ + ": memory on device '" + part->device + "', which is not listed");
    watch.report_.expect(
        watch.whole_.contains(part->stage), "P41",
        fmt::format("{}: memory of stage {}, which was not told before", watch.call_, part->stage));
    if (part->device == std::string(memory_of_process)) watch.parts_[part->stage] += part->bytes;
  }

  Report& report_;
  const rh_engine_descriptor& engine_;
  const std::string call_;
  HostRecord<rh_estimate_sink> sink_;
  std::map<std::uint32_t, std::uint64_t> whole_, parts_;  // bytes by stage
  std::uint32_t next_ = 0;                                // the lowest stage that may come
  unsigned stages_ = 0, held_times_ = 0;
};

}  // namespace

void check_estimates(const Subject& subject, Report& report) {
  Life life(subject, report);
  for (const rh_engine_descriptor* descriptor : life.descriptors()) {
    const EngineUse engine(life, *descriptor);
    const auto* estimate =
        static_cast<const rh_estimate*>(engine.get()->get_extension(engine.get(), RH_ESTIMATE_ID));
    if (estimate == nullptr) continue;
    const std::string id = descriptor->id;
    report.require(roundhouse::reaches_floor(estimate) && estimate->image != nullptr, "P10",
                   id + ": rh_estimate is too small or has no image");
    if (can_open(subject, *descriptor) && promises(subject, *descriptor, "text-to-image"))
      EstimateWatch(report, *descriptor).run(engine.get(), *estimate, subject);
  }
}

}  // namespace conformance
