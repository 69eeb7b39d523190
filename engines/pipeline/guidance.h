// SPDX-License-Identifier: Apache-2.0
// Classifier-free guidance (Ho and Salimans 2022), its scale counted from 0 as Z-Image's pipeline does, with
// the two variants of that.
#pragma once

#include <span>

namespace engines {

struct Guidance {
  double scale = 0;          // 0 = off; the usual scale is one more
  double normalization = 0;  // 0 = off; else the largest norm allowed, as a multiple of the positive's
  double truncation = 1;     // no guidance where t exceeds it, unless it exceeds 1

  // Whether the step at t = 1 - sigma (as the reference computes it in float) needs a negative prediction.
  bool applies_at(float t) const;
};

// prediction = positive + scale * (positive - negative), reduced to normalization * |positive| when its L2
// norm is larger; |.| is over the whole image. `prediction` may be `positive`.
void guide(const Guidance& guidance, std::span<const float> positive, std::span<const float> negative,
           std::span<float> prediction);

}  // namespace engines
