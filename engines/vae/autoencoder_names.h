// SPDX-License-Identifier: Apache-2.0
// The names that an AutoencoderKL goes by in files of the original checkpoints (ae.safetensors).
#pragma once

#include "engines/vae/autoencoder_kl.h"
#include "engines/weights/name_table.h"

namespace engines {

// To the names of diffusers, which are the model's own here. The original counts the levels of the decoder
// from the image, diffusers from the latents; its attention is convolutions of one pixel. With or without
// "vae." or "first_stage_model." in front.
NameTable original_autoencoder_names(const AutoencoderConfig& config);

}  // namespace engines
