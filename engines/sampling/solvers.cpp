// SPDX-License-Identifier: Apache-2.0
#include "engines/sampling/solvers.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace engines {

void EulerSolver::step(std::size_t i, std::span<const float> v, std::span<float> x) {
  assert(i + 1 < sigmas_.size() && v.size() == x.size());
  const float dt = sigmas_[i + 1] - sigmas_[i];
  for (std::size_t j = 0; j < x.size(); ++j)
    x[j] += dt * v[j];
}

void StochasticEulerSolver::step(std::size_t i, std::span<const float> v, std::span<float> x) {
  assert(i + 1 < sigmas_.size() && v.size() == x.size() && x.size() == noise_.size());
  draw_(noise_);
  const float sigma = sigmas_[i];
  const float next = sigmas_[i + 1];
  for (std::size_t j = 0; j < x.size(); ++j)
    x[j] = (1 - next) * (x[j] - sigma * v[j]) + next * noise_[j];
}

DpmSolver::DpmSolver(std::vector<float> sigmas, std::size_t size, DpmOptions options, NoiseSource noise)
    : sigmas_(std::move(sigmas)),
      options_(options),
      noise_(options.stochastic ? size : 0),
      draw_(std::move(noise)) {
  assert(options_.order >= 1 && options_.order <= (options_.stochastic ? 2 : 3));
  for (int k = 0; k < options_.order; ++k)
    data_[static_cast<std::size_t>(k)].resize(size);
}

int DpmSolver::order_at(std::size_t i) const {
  const std::size_t steps = sigmas_.size() - 1;
  if (i + 1 == steps) return 1;
  const int cap = i + 2 == steps && steps < 15 ? 2 : options_.order;
  return std::min({options_.order, known_, cap});
}

// Names as in dpm_solver_{first,second,third}_order_update; lambda' - lambda is h, D1 and D2 are divided
// differences of the predictions.
DpmSolver::Update DpmSolver::update_at(std::size_t i, int order) const {
  const auto lambda = [this](std::size_t k) {
    return std::log1p(-static_cast<double>(sigmas_[k])) - std::log(static_cast<double>(sigmas_[k]));
  };
  const double sigma = sigmas_[i];
  const double next = sigmas_[i + 1];
  const double alpha = 1 - next;
  const double h = lambda(i + 1) - lambda(i);
  const double speed = options_.stochastic ? 2 : 1;
  const double phi = -std::expm1(-speed * h);  // 1 - e^-h, or 1 - e^-2h

  Update out;
  out.sample = next / sigma * (options_.stochastic ? std::exp(-h) : 1);
  out.data[0] = alpha * phi;
  if (options_.stochastic) out.noise = next * std::sqrt(phi);
  if (order == 1) return out;

  const double r0 = (lambda(i) - lambda(i - 1)) / h;
  if (order == 2) {
    const double d1 = alpha * (options_.heun ? 1 - phi / (speed * h) : phi / 2) / r0;
    out.data[0] += d1;
    out.data[1] -= d1;
    return out;
  }
  const double r1 = (lambda(i - 1) - lambda(i - 2)) / h;
  const double c1 = alpha * (1 - phi / h);
  const double c2 = alpha * (0.5 - (h - phi) / (h * h));
  // D1 = D1_0 + r0/(r0+r1) (D1_0 - D1_1), D2 = (D1_0 - D1_1)/(r0+r1)
  const double difference = (c1 * r0 + c2) / (r0 + r1);
  const double d1_0 = (c1 + difference) / r0;
  const double d1_1 = -difference / r1;
  out.data[0] += d1_0;
  out.data[1] += d1_1 - d1_0;
  out.data[2] -= d1_1;
  return out;
}

void DpmSolver::remember(std::span<const float> v, std::span<const float> x, float sigma) {
  const auto used = data_.begin() + options_.order;
  std::rotate(data_.begin(), used - 1, used);
  for (std::size_t j = 0; j < x.size(); ++j)
    data_[0][j] = x[j] - sigma * v[j];
  known_ = std::min(known_ + 1, options_.order);
}

void DpmSolver::step(std::size_t i, std::span<const float> v, std::span<float> x) {
  assert(i + 1 < sigmas_.size() && v.size() == x.size() && x.size() == data_[0].size());
  if (i != expected_) known_ = 0;
  expected_ = i + 1;
  remember(v, x, sigmas_[i]);
  if (options_.stochastic) draw_(noise_);

  const int order = order_at(i);
  const Update update = update_at(i, order);
  const auto scale = static_cast<float>(update.sample);
  for (float& value : x)
    value *= scale;
  const auto add = [&x](double factor, const std::vector<float>& term) {
    const auto f = static_cast<float>(factor);
    for (std::size_t j = 0; j < x.size(); ++j)
      x[j] += f * term[j];
  };
  for (int k = 0; k < order; ++k)
    add(update.data[static_cast<std::size_t>(k)], data_[static_cast<std::size_t>(k)]);
  if (options_.stochastic) add(update.noise, noise_);
}

}  // namespace engines
