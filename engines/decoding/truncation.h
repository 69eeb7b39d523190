// SPDX-License-Identifier: Apache-2.0
// The tokens that chance decides among, and what makes them fewer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engines::decoding {

struct Candidate {
  float logit = 0;
  std::int32_t id = 0;
};

// By logit, of equals the lowest id first: an order that has no ties.
inline bool likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

// Candidates, likeliest first from the moment on that something needs their order. Probabilities are those
// among the candidates that are left. Never fewer than one is left.
class Candidates {
 public:
  // All tokens whose logits are not -infinity, at least one.
  explicit Candidates(std::span<const float> logits);

  void keep_top_k(std::uint32_t k);
  // Locally typical sampling: the tokens whose surprise is nearest to the entropy, up to probability p.
  void keep_typical(double p);
  void keep_top_p(double p);
  void keep_min_p(double p);
  // Mirostat: those whose surprise is at most so many bits.
  void keep_surprise(double bits);
  void divide_by(double temperature);

  // In bits, of a token that is among them.
  double surprise(std::int32_t id) const;
  // The index that `unit`, uniform in [0, 1), picks.
  std::size_t pick(double unit) const;
  std::int32_t id(std::size_t index) const { return all_[index].id; }

 private:
  void sort();
  void drop_unlikely();
  std::vector<double> probabilities() const;
  double highest() const;

  std::vector<Candidate> all_;
  bool sorted_ = false;
};

}  // namespace engines::decoding
