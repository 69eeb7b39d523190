// SPDX-License-Identifier: Apache-2.0
// What is done with the values of every image, large or small.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace engines {

// Throws PIPELINE_ERROR with stage and count: "denoise: 3 of 64 values of the latents are not finite".
void require_finite(std::span<const float> values, const std::string& stage, const std::string& what,
                    const std::string& when = {});

// Three planes of -1 to 1, as the decoder leaves them, as pixels of 0 to 1, interleaved.
std::vector<float> interleaved(std::span<const float> planes);

}  // namespace engines
