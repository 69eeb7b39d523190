// SPDX-License-Identifier: Apache-2.0
// The names that Z-Image's transformer goes by in single files.
#pragma once

#include "engines/weights/name_table.h"

namespace engines {

// From the names of the original checkpoints, as ComfyUI and GGUF files in use have them (with or without
// "model.diffusion_model." in front), to those of diffusers, which are the model's own here. One matrix holds
// q, k and v. Source: diffusers' convert_z_image_transformer_checkpoint_to_diffusers.
const NameTable& zimage_names();

}  // namespace engines
