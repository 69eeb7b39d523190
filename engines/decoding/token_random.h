// SPDX-License-Identifier: Apache-2.0
// Chance by number: what the n-th token of a text draws depends on its seed and on n alone.
#pragma once

#include <cstdint>

namespace engines::decoding {

// The n-th number of SplitMix64 (Steele, Lea, Flood 2014) from that seed: every step adds a constant, so any
// of them is had at once. The same on every machine.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t n) {
  std::uint64_t z = seed + (n + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

// Uniform in [0, 1), 53 bits. Seeds that follow each other start at points that have nothing to do with each
// other, or the second token of one would be the first of the next.
constexpr double random_unit(std::uint64_t seed, std::uint64_t n) {
  return static_cast<double>(random_bits(random_bits(seed, 0), n) >> 11U) * 0x1.0p-53;
}

}  // namespace engines::decoding
