// SPDX-License-Identifier: Apache-2.0
// After aten/src/ATen/native/cpu/DistributionTemplates.h (normal_fill) and ATen/core/DistributionsHelper.h
// of torch 2.11. The last bits of torch's own numbers depend on its vector code; ours agree within 5e-6.
#include "engines/sampling/random.h"

#include <cmath>
#include <numbers>

namespace engines {
namespace {

constexpr std::size_t kBlock = 16;  // torch fills larger tensors in blocks of 16 and smaller ones singly

// Box-Muller on 16 uniforms in place: the first 8 give radii, the last 8 angles.
void normals_from_uniforms(std::span<float, kBlock> block) {
  for (std::size_t j = 0; j < kBlock / 2; ++j) {
    const float radius = std::sqrt(-2.0F * std::log(1.0F - block[j]));  // 1 - u is never 0
    const float angle = 2.0F * std::numbers::pi_v<float> * block[j + kBlock / 2];
    block[j] = radius * std::cos(angle);
    block[j + kBlock / 2] = radius * std::sin(angle);
  }
}

}  // namespace

TorchGenerator::TorchGenerator(std::uint64_t seed) : engine_(static_cast<std::uint32_t>(seed)) {
}

std::uint32_t TorchGenerator::next_uint32() {
  return static_cast<std::uint32_t>(engine_());
}

float TorchGenerator::uniform_float() {
  return static_cast<float>(next_uint32() & 0xFFFFFFU) * 0x1p-24F;
}

double TorchGenerator::uniform_double() {
  const std::uint64_t high = next_uint32();
  const std::uint64_t low = next_uint32();
  return static_cast<double>((high << 32 | low) & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}

double TorchGenerator::normal_double() {
  if (kept_) {
    const double value = *kept_;
    kept_.reset();
    return value;
  }
  const double u1 = uniform_double();
  const double u2 = uniform_double();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2));
  const double angle = 2.0 * std::numbers::pi * u1;
  kept_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

void TorchGenerator::randn(std::span<float> out) {
  if (out.size() < kBlock) {
    for (float& value : out)
      value = static_cast<float>(normal_double());
    return;
  }
  rand(out);
  for (std::size_t i = 0; i + kBlock <= out.size(); i += kBlock)
    normals_from_uniforms(out.subspan(i).first<kBlock>());
  if (out.size() % kBlock == 0) return;
  const auto last = out.last<kBlock>();  // drawn anew, over normals that are already there
  rand(last);
  normals_from_uniforms(last);
}

void TorchGenerator::rand(std::span<float> out) {
  for (float& value : out)
    value = uniform_float();
}

}  // namespace engines
