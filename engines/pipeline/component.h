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

// What a memory plan does with a network, whatever it computes. One thread.
class ModelComponent {
 public:
  virtual ~ModelComponent() = default;
  // Whether what it works with is rounded, and so exists nowhere else.
  virtual bool makes_copies() const = 0;
  // Whether `load` would have nothing to make.
  virtual bool ready() const = 0;
  // Makes the weights as they were asked for. Throws MODEL_INVALID for weights that cannot be rounded,
  // OUT_OF_MEMORY.
  virtual void load() = 0;
  // Loads, and lets at most about `bytes` of mapped weights stay resident.
  virtual void keep_within(std::uint64_t bytes) = 0;
  // Gives memory back until the next `load`: pages of the files, and all that was made.
  virtual void release() = 0;
  // What is resident while it works.
  virtual WeightBytes bytes() const = 0;
  // The type that most weights are stored in.
  virtual Dtype main_dtype() const = 0;
};

// Model is made of (folder, kernels, WeightOptions) and has weights() and least_bytes(). Checked completely
// when it is opened; mapped weights are read when they are used, rounded ones are made by the first `use`.
// One thread.
template <class Model>
class Component final : public ModelComponent {
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

  bool makes_copies() const override { return described_->weights().makes_copies(); }
  bool ready() const override { return !makes_copies() || made_; }

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

  void load() override { use(); }
  void keep_within(std::uint64_t bytes) override { use().keep_within(bytes); }
  Dtype main_dtype() const override { return described_->weights().main_dtype(); }

  void release() override {
    described_->weights().forget();
    if (!made_) return;
    made_.reset();
    malloc_trim(0);  // blocks of a few MB come from the heap, which keeps what is freed
  }

  WeightBytes bytes() const override {
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
