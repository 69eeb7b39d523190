// SPDX-License-Identifier: Apache-2.0
// torch's CPU generator, so that a seed gives the noise that diffusers draws.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>

namespace engines {

// torch.Generator("cpu").manual_seed(seed): mt19937 seeded with the low 32 bits of the seed, so seeds that
// agree there are the same. Not for two threads at once.
class TorchGenerator {
 public:
  explicit TorchGenerator(std::uint64_t seed);

  std::uint32_t next_uint32();
  // torch.randn(out.size()) in float32, standard normal. Sizes from 16 on and sizes below take different
  // paths, as in torch: drawing 20 at once is not drawing 10 twice.
  void randn(std::span<float> out);
  // torch.rand(out.size()) in float32, uniform in [0, 1).
  void rand(std::span<float> out);

 private:
  float uniform_float();
  double uniform_double();
  double normal_double();

  std::mt19937 engine_;
  std::optional<double> kept_;  // the second normal of the last small draw; survives large draws in between
};

}  // namespace engines
