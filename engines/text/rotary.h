// SPDX-License-Identifier: Apache-2.0
// Angles of rotary position embeddings.
#pragma once

#include <span>

namespace engines {

// cos and sin of position / theta^(i / n) for i = 0 .. n - 1, n = cos.size() = sin.size(): one axis of one
// token, n pairs wide. As the reference: the angle in double, rounded to float, then its cosine and sine.
void rotary_row(double position, double theta, std::span<float> cos, std::span<float> sin);

}  // namespace engines
