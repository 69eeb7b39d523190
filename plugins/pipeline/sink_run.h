// SPDX-License-Identifier: Apache-2.0
// Carries the reports of a running pipeline to the host's sink.
#pragma once

#include "engines/pipeline/pipeline.h"
#include "engines/tensor/run.h"
#include "roundhouse/image.hpp"

namespace roundhouse::pipeline {

// engines::Stage has the values of RH_STAGE_*; the assertions below keep it so.
static_assert(static_cast<int>(engines::Stage::load) == RH_STAGE_LOAD);
static_assert(static_cast<int>(engines::Stage::encode) == RH_STAGE_ENCODE);
static_assert(static_cast<int>(engines::Stage::denoise) == RH_STAGE_DENOISE);
static_assert(static_cast<int>(engines::Stage::decode) == RH_STAGE_DECODE);

class SinkRun : public engines::Run {
 public:
  // `tokens` of the prompt, which the report of its encoding tells.
  SinkRun(Sink& sink, engines::TokenCount tokens) : sink_(sink), tokens_(tokens) {}

  bool cancelled() override { return sink_.cancelled(); }
  void progress(engines::Stage stage, std::uint32_t step, std::uint32_t steps,
                std::uint64_t elapsed_ns) override {
    sink_.progress(static_cast<std::uint32_t>(stage), step, steps, elapsed_ns);
  }
  void stage_done(const engines::StageReport& report) override {
    const bool encodes = report.stage == engines::Stage::encode && tokens_.given > 0;
    sink_.stage(static_cast<std::uint32_t>(report.stage), report.elapsed_ns, report.operations,
                report.activation_bytes, report.preview_ns,
                encodes ? static_cast<std::uint32_t>(tokens_.given) : 0,
                encodes ? static_cast<std::uint32_t>(tokens_.used) : 0);
  }
  bool wants_preview(std::uint32_t step) override { return sink_.wants_preview(step); }
  void preview(std::int64_t width, std::int64_t height, std::span<const float> rgb) override {
    sink_.preview(static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height), rgb);
  }

 private:
  Sink& sink_;
  const engines::TokenCount tokens_;
};

}  // namespace roundhouse::pipeline
