// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/truncation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace engines::decoding {

Candidates::Candidates(std::span<const float> logits) {
  all_.reserve(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > -INFINITY) all_.push_back({logits[i], static_cast<std::int32_t>(i)});
  }
}

void Candidates::sort() {
  if (!sorted_) std::ranges::sort(all_, likelier);
  sorted_ = true;
}

double Candidates::highest() const {
  if (sorted_) return all_.front().logit;
  return std::ranges::max_element(all_, {}, &Candidate::logit)->logit;
}

// What is e^-30 of the likeliest has no part in a nucleus, however many there are of it; leaving it out keeps
// sorts short.
void Candidates::drop_unlikely() {
  const auto least = static_cast<float>(highest() - 30);
  std::erase_if(all_, [&](const Candidate& one) { return one.logit < least; });
}

std::vector<double> Candidates::probabilities() const {
  std::vector<double> chances(all_.size());
  const double most = highest();
  double sum = 0;
  for (std::size_t i = 0; i < all_.size(); ++i)
    sum += chances[i] = std::exp(all_[i].logit - most);
  for (double& chance : chances)
    chance /= sum;
  return chances;
}

void Candidates::keep_top_k(std::uint32_t k) {
  if (k == 0 || k >= all_.size()) return;
  std::ranges::nth_element(all_, all_.begin() + k, likelier);
  all_.resize(k);
  sorted_ = false;
  sort();
}

void Candidates::keep_typical(double p) {
  if (p >= 1) return;
  drop_unlikely();
  sort();
  const std::vector<double> chances = probabilities();
  double entropy = 0;
  for (const double chance : chances)
    if (chance > 0) entropy -= chance * std::log(chance);
  std::vector<std::size_t> order(all_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto distance = [&](std::size_t i) { return std::abs(-std::log(chances[i]) - entropy); };
  std::ranges::stable_sort(order, {}, distance);
  double sum = 0;
  std::size_t kept = 0;
  while (kept < order.size() && sum < p)
    sum += chances[order[kept++]];
  order.resize(kept);
  std::ranges::sort(order);  // the likeliest first again
  std::vector<Candidate> left;
  for (const std::size_t i : order)
    left.push_back(all_[i]);
  all_ = std::move(left);
}

void Candidates::keep_top_p(double p) {
  if (p >= 1) return;
  drop_unlikely();
  sort();
  const std::vector<double> chances = probabilities();
  double sum = 0;
  std::size_t kept = 0;
  while (kept < all_.size() && sum < p)
    sum += chances[kept++];
  all_.resize(std::max<std::size_t>(kept, 1));
}

void Candidates::keep_min_p(double p) {
  if (p <= 0) return;
  const double least = highest() + std::log(std::min(p, 1.0));
  std::erase_if(all_, [&](const Candidate& one) { return one.logit < least; });
}

void Candidates::keep_surprise(double bits) {
  sort();
  const std::vector<double> chances = probabilities();
  std::size_t kept = 1;
  while (kept < all_.size() && -std::log2(chances[kept]) <= bits)
    ++kept;
  all_.resize(kept);
}

void Candidates::divide_by(double temperature) {
  // Differences to the likeliest, so that a tiny temperature makes no infinities of the same sign.
  const double most = highest();
  for (Candidate& one : all_)
    one.logit = static_cast<float>((one.logit - most) / temperature);
}

double Candidates::surprise(std::int32_t id) const {
  const auto place = std::ranges::find(all_, id, &Candidate::id);
  return -std::log2(probabilities()[static_cast<std::size_t>(place - all_.begin())]);
}

std::size_t Candidates::pick(double unit) const {
  const std::vector<double> chances = probabilities();
  double sum = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < chances.size(); ++i) {
    if (chances[i] <= 0) continue;
    sum += chances[i];
    last = i;
    if (unit < sum) return i;
  }
  return last;  // the sum of all may be a rounding below 1
}

}  // namespace engines::decoding
