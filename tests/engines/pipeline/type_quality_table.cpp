// SPDX-License-Identifier: Apache-2.0
// Prints the table of docs/quantisation.md: what each type of matrices costs the pocket model.
#include <cstdio>

#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/pipeline/type_quality.h"

int main() {
  using namespace engines;
  using namespace engines::test;
  const auto kernels = make_openblas_kernels(2);
  const WeightSet encoder(pocket_turbo() / "text_encoder", "model");
  const WeightSet transformer(pocket_turbo() / "transformer", "diffusion_pytorch_model");
  std::puts(
      "| type | encoder: matrices of it | bits | weights | output | transformer: matrices of it | bits | "
      "weights | "
      "output | images |");
  std::puts("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
  for (const Dtype type : {Dtype::q8_0, Dtype::q6_K, Dtype::q4_K, Dtype::q4_0}) {
    const WeightQuality text = weight_quality(encoder, type);
    const WeightQuality dit = weight_quality(transformer, type);
    std::printf(
        "| %s | %.0f %% | %.2f | %.2f %% | %.2f %% | %.0f %% | %.2f | %.2f %% | %.2f %% | %.1f dB |\n",
        std::string(name_of(type)).c_str(), 100 * text.share, text.bits, 100 * text.error,
        100 * encoder_error(*kernels, type), 100 * dit.share, dit.bits, 100 * dit.error,
        100 * transformer_error(*kernels, type), image_psnr(*kernels, type));
    std::fflush(stdout);
  }
  return 0;
}
