// SPDX-License-Identifier: Apache-2.0
// What changes logits because of the tokens before.
#pragma once

#include <cstdint>
#include <span>

#include "engines/decoding/sampling.h"

namespace engines::decoding {

// Repetition, presence and frequency penalties, then DRY, over the last options.repeat_last_n tokens. Ids of
// `history` outside the logits are passed over.
void penalise(std::span<float> logits, std::span<const std::int32_t> history, const SamplingOptions& options);

}  // namespace engines::decoding
