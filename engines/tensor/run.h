// SPDX-License-Identifier: Apache-2.0
// How long-running work reports and is stopped.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "engines/tensor/error.h"

namespace engines {

// Loading: reading or making weights, wherever that happens.
enum class Stage { load = 0, encode = 1, denoise = 2, decode = 3 };

struct StageReport {
  Stage stage{};
  std::uint64_t elapsed_ns = 0;
  std::uint64_t operations = 0;        // of products, convolutions and attention
  std::uint64_t activation_bytes = 0;  // peak beyond weights
  std::uint64_t preview_ns = 0;        // of elapsed_ns: what previews took
};

// Watches one run. Called on the thread that runs, except `cancelled`, which any thread may ask.
class Run {
 public:
  virtual ~Run() = default;
  // Whether to stop. Asked at least once per transformer block and per block of the VAE.
  virtual bool cancelled() = 0;
  // `step` of `steps` (1-based) of a stage is done and took elapsed_ns.
  virtual void progress(Stage, std::uint32_t step, std::uint32_t steps, std::uint64_t elapsed_ns) = 0;
  virtual void stage_done(const StageReport&) = 0;
  // Whether somebody wants to see how the image looks after that step (1-based) of denoise.
  virtual bool wants_preview(std::uint32_t /*step*/) { return false; }
  // 3 floats a pixel, interleaved, rows from the top, 0 to 1.
  virtual void preview(std::int64_t /*width*/, std::int64_t /*height*/, std::span<const float> /*rgb*/) {}

  // Throws CANCELLED when asked to stop.
  void check_cancelled() {
    if (cancelled()) throw Error(RH_CANCELLED, "cancelled");
  }
};

// Watches nothing; for tests and for work that nobody stops.
class QuietRun : public Run {
 public:
  bool cancelled() override { return false; }
  void progress(Stage, std::uint32_t, std::uint32_t, std::uint64_t) override {}
  void stage_done(const StageReport&) override {}
};

}  // namespace engines
