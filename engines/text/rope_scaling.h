// SPDX-License-Identifier: Apache-2.0
// Frequencies of rotary position embeddings, plain and scaled, after transformers' modeling_rope_utils.py.
#pragma once

#include "engines/text/decoder_config.h"

namespace engines {

// theta ^ (-2 p / dim) for the pairs p of a head, in float32 as the original computes them.
Rope plain_rope(double theta, std::int64_t dim);

// What rope_parameters, or rope_scaling and rope_theta, say of `dim` dimensions; `window` is
// max_position_embeddings. Types: default, linear, llama3, longrope (or su), yarn. Others, and numbers out of
// range, are MODEL_INVALID by field name.
Rope read_rope(const Config& json, std::int64_t dim, std::int64_t window);
// The same of one object that has rope_type beside its numbers.
Rope read_scaled_rope(const Config& json, const Config& scaling, double theta, std::int64_t dim,
                      std::int64_t window);

}  // namespace engines
