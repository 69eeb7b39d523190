// SPDX-License-Identifier: Apache-2.0
// torch's CPU generator, so that a seed gives the noise that diffusers draws.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace engines {

// torch.Generator("cpu").manual_seed(seed): mt19937 seeded with the low 32 bits of the seed.
class TorchGenerator {
 public:
  explicit TorchGenerator(std::uint64_t seed);

  std::uint32_t next_uint32();
  // torch.randn(out.size()) in float32; see numerics notes in random.cpp for the two paths (size >= 16 and
  // below).
  void randn(std::span<float> out);
  // torch.rand(out.size()) in float32.
  void rand(std::span<float> out);

 private:
  double randn_double();
  void refill();
  std::uint32_t state_[624];
  std::uint32_t next_ = 624;
  std::optional<double> kept_;  // the second normal of the last small draw; survives large draws in between
};

}  // namespace engines
