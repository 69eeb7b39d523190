// SPDX-License-Identifier: Apache-2.0
// Carries what the stages of a pipeline compute to the host's trace sink.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engines/pipeline/pipeline.h"
#include "engines/tensor/run.h"
#include "roundhouse/trace.hpp"

namespace roundhouse::pipeline {

class TraceRun : public engines::QuietRun {
 public:
  explicit TraceRun(TraceSink& sink) : sink_(sink) {}
  bool cancelled() override { return sink_.cancelled(); }

  engines::PipelineTaps taps() {
    engines::PipelineTaps taps;
    taps.tokens = [this](const std::vector<std::int32_t>& ids, bool negative) {
      if (!ids.empty())
        sink_.tensor(negative ? "tokens.negative_ids" : "tokens.ids", {ids.size()}, ids.data());
    };
    taps.hidden = [this](const std::string& name, engines::ConstRows rows, bool negative) {
      if (negative) return;
      if (name == "hidden0") show("encode.embedding", rows);
      if (name == "hidden1") show("encode.layer0", rows);
    };
    taps.embeddings = [this](engines::ConstRows rows, bool negative) {
      show(negative ? "encode.negative_output" : "encode.output", rows);
    };
    taps.noise = [this](engines::ConstPlanes noise) { show("denoise.noise", noise, noise.data); };
    taps.step = [this](std::size_t step, double t, engines::ConstPlanes positive, const float* negative,
                       engines::ConstPlanes latents) {
      const std::string name = fmt::format("denoise.step{}.", step);
      const auto time = static_cast<float>(t);
      sink_.tensor(name + "time", {1}, &time);
      show(name + "output", positive, positive.data);
      if (negative != nullptr) show(name + "negative_output", positive, negative);
      show(name + "latents", latents, latents.data);
    };
    return taps;
  }

  void show(const engines::Image& image) {
    sink_.tensor("decode.image", {axis(image.height), axis(image.width), 3}, image.rgb.data());
  }

 private:
  static std::uint64_t axis(std::int64_t size) { return static_cast<std::uint64_t>(size); }

  void show(const std::string& name, const engines::ConstPlanes& shape, const float* data) {
    sink_.tensor(name, {axis(shape.channels), axis(shape.height), axis(shape.width)}, data);
  }
  void show(const std::string& name, engines::ConstRows rows) {
    std::vector<float> dense;
    for (std::int64_t r = 0; r < rows.rows; ++r)
      dense.insert(dense.end(), rows.row(r), rows.row(r) + rows.cols);
    sink_.tensor(name, {axis(rows.rows), axis(rows.cols)}, dense.data());
  }

  TraceSink& sink_;
};

}  // namespace roundhouse::pipeline
