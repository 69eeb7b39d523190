// SPDX-License-Identifier: Apache-2.0
// A network of a model directory that can leave memory and come back.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "engines/kernels/kernels.h"
#include "engines/pipeline/memory_plan.h"
#include "engines/weights/weight_set.h"

namespace engines {

// Model is made of (folder, kernels, WeightOptions) and has weights() and least_bytes(). Checked completely
// when it is opened; mapped weights are read when they are used, rounded ones are made by the first `use`.
// One thread.
template <class Model>
class Component {
 public:
  // `matrices`: what the big matrices are rounded to. `threads` share that work.
  Component(std::filesystem::path folder, Kernels& kernels, std::optional<Dtype> matrices, int threads)
      : folder_(std::move(folder)),
        kernels_(kernels),
        matrices_(matrices),
        threads_(threads),
        described_(std::make_unique<Model>(folder_, kernels,
                                           WeightOptions{.matrices = matrices, .plan_only = true})) {}

  // For its configuration and sizes.
  const Model& described() const { return *described_; }

  // Whether what it works with is rounded, and so exists nowhere else.
  bool makes_copies() const { return described_->weights().makes_copies(); }
  // Whether `use` would have to make something first.
  bool ready() const { return !makes_copies() || made_; }

  // With weights as they were asked for. Throws MODEL_INVALID for weights that cannot be rounded,
  // OUT_OF_MEMORY.
  Model& use() {
    if (!makes_copies()) return *described_;
    if (!made_) {
      ThreadPool pool(threads_);
      made_ = std::make_unique<Model>(folder_, kernels_, WeightOptions{.matrices = matrices_, .pool = &pool});
    }
    return *made_;
  }

  // Gives memory back until the next `use`: pages of the files, and all that was made.
  void release() {
    described_->weights().forget();
    if (!made_) return;
    made_.reset();
    malloc_trim(0);  // blocks of a few MB come from the heap, which keeps what is freed
  }

  // What is resident while it works.
  WeightBytes bytes() const {
    const std::uint64_t all = described_->resident_bytes();
    return {all, makes_copies() ? all : std::min(all, described_->least_bytes())};
  }

 private:
  std::filesystem::path folder_;
  Kernels& kernels_;
  std::optional<Dtype> matrices_;
  int threads_;
  std::unique_ptr<Model> described_;
  std::unique_ptr<Model> made_;
};

}  // namespace engines
