// SPDX-License-Identifier: Apache-2.0
// The merges of pairs of tokens: a hash table in one block, since merging does little but look pairs up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engines {

struct Merge {
  std::int32_t rank = -1;  // lower first
  std::int32_t id = -1;    // what the pair becomes
};

class MergeTable {
 public:
  explicit MergeTable(std::size_t merges = 0) { resize(merges); }

  // Replaces what was there for the pair. Ids are 0 or more.
  void set(std::int32_t left, std::int32_t right, Merge merge) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    Slot& slot = slots_[place_of(key_of(left, right))];
    if (slot.key == empty) ++count_;
    slot = {key_of(left, right), merge};
  }

  // Null where the pair does not merge.
  const Merge* find(std::int32_t left, std::int32_t right) const {
    const Slot& slot = slots_[place_of(key_of(left, right))];
    return slot.key == empty ? nullptr : &slot.merge;
  }

  template <class Visit>
  void each(const Visit& visit) const {
    for (const auto& slot : slots_)
      if (slot.key != empty) visit(slot.merge);
  }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = empty;
    Merge merge;
  };

  static constexpr std::uint64_t key_of(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }

  // Where the key is, or the empty slot where it would be: at most half of the slots are taken.
  std::size_t place_of(std::uint64_t key) const {
    constexpr std::uint64_t golden = 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = key * golden;
    mixed ^= mixed >> 32;
    std::size_t at = static_cast<std::size_t>(mixed * golden >> shift_);
    while (slots_[at].key != key && slots_[at].key != empty)
      at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void resize(std::size_t merges) {
    std::size_t bits = 4;
    while ((std::size_t{1} << bits) < 2 * (merges + 1))
      ++bits;
    slots_.assign(std::size_t{1} << bits, {});
    shift_ = 64 - static_cast<int>(bits);
  }

  void grow() {
    std::vector<Slot> old;
    old.swap(slots_);
    resize(old.size());
    for (const auto& slot : old)
      if (slot.key != empty) slots_[place_of(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t count_ = 0;
  int shift_ = 60;
};

}  // namespace engines
