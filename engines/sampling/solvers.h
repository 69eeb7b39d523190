// SPDX-License-Identifier: Apache-2.0
// The solvers behind make_sampler, with all their parameters. Flow prediction throughout: x0 = x - sigma v,
// alpha = 1 - sigma, lambda = ln(alpha / sigma).
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "engines/sampling/sampler.h"

namespace engines {

// Fills with standard normal noise.
using NoiseSource = std::function<void(std::span<float>)>;

// x <- x + (sigma' - sigma) v.
class EulerSolver : public Sampler {
 public:
  explicit EulerSolver(std::vector<float> sigmas) : sigmas_(std::move(sigmas)) {}
  void step(std::size_t i, std::span<const float> v, std::span<float> x) override;

 private:
  std::vector<float> sigmas_;
};

// x <- (1 - sigma') x0 + sigma' noise; draws at every step, the last included.
class StochasticEulerSolver : public Sampler {
 public:
  StochasticEulerSolver(std::vector<float> sigmas, std::size_t size, NoiseSource noise)
      : sigmas_(std::move(sigmas)), noise_(size), draw_(std::move(noise)) {}
  void step(std::size_t i, std::span<const float> v, std::span<float> x) override;

 private:
  std::vector<float> sigmas_;
  std::vector<float> noise_;
  NoiseSource draw_;
};

struct DpmOptions {
  int order = 2;            // 1 to 3
  bool stochastic = false;  // sde-dpmsolver++ instead of dpmsolver++; orders 1 and 2 only
  bool heun = false;        // heun instead of midpoint for the second order
};

// DPM-Solver++ (2211.01095), multistep, as DPMSolverMultistepScheduler runs it: the last step is first order,
// and of fewer than 15 steps the last but one is at most second order.
class DpmSolver : public Sampler {
 public:
  DpmSolver(std::vector<float> sigmas, std::size_t size, DpmOptions options, NoiseSource noise);
  void step(std::size_t i, std::span<const float> v, std::span<float> x) override;

 private:
  // x <- x * sample + data[0] * x0 + data[1] * (x0 before) + data[2] * (x0 before that) + noise * n.
  struct Update {
    double sample = 0;
    std::array<double, 3> data{};
    double noise = 0;
  };
  int order_at(std::size_t i) const;
  Update update_at(std::size_t i, int order) const;
  void remember(std::span<const float> v, std::span<const float> x, float sigma);

  std::vector<float> sigmas_;
  DpmOptions options_;
  std::array<std::vector<float>, 3> data_;  // predictions of x0, the newest first
  std::vector<float> noise_;
  NoiseSource draw_;
  int known_ = 0;  // how many predictions of this run data_ holds
  std::size_t expected_ = 0;
};

}  // namespace engines
