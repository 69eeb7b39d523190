// SPDX-License-Identifier: Apache-2.0
// What the types of matrices cost the pocket model: errors of weights, of outputs, of images.
#pragma once

#include <filesystem>

#include "engines/kernels/kernels.h"
#include "engines/weights/weight_set.h"

namespace engines::test {

// Of a component's matrices that `matrix` rounds, asked for a type.
struct WeightQuality {
  double share = 0;  // of their elements that have the type; the others' rows are too narrow for it
  double bits = 0;   // an element, of all of them
  double error = 0;  // the norm of what rounding changed by that of the weights, of all of them
};
WeightQuality weight_quality(const WeightSet& weights, Dtype type);

// The relative error (L2) of a component's output with matrices of a type to that with its own: the encoder's
// for a fixture's prompt, the transformer's for its embeddings and noise at the first step.
double encoder_error(Kernels& kernels, Dtype type);
double transformer_error(Kernels& kernels, Dtype type);

// Peak signal-to-noise ratio in dB of the images of the pocket-turbo fixtures to those without rounding, 8
// bits a value, over all of them.
double image_psnr(Kernels& kernels, Dtype type);

// <models>/pocket-turbo.
std::filesystem::path pocket_turbo();

}  // namespace engines::test
