// SPDX-License-Identifier: Apache-2.0
// Blocks of weights that are used one after the other, of which only some can stay in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engines {

// `count` blocks of `block` bytes each and `rest` bytes beside them.
struct BlockRow {
  std::uint64_t rest = 0;
  std::uint64_t block = 0;
  std::size_t count = 0;

  // The one in use. What the system reads ahead lies in its own cache, and in no process.
  static constexpr std::size_t kPassing = 1;

  std::uint64_t all() const { return rest + block * count; }
  // With no block staying.
  std::uint64_t least() const { return rest + block * (count < kPassing ? count : kPassing); }
  // How many of the first blocks stay when `window` bytes may be resident: all of them, or as many as leave
  // room for those that pass.
  std::size_t kept(std::uint64_t window) const {
    if (window >= all() || count <= kPassing) return count;
    if (window <= least()) return 0;
    return static_cast<std::size_t>((window - least()) / block);
  }
};

}  // namespace engines
