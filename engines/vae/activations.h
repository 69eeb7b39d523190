// SPDX-License-Identifier: Apache-2.0
// Memory of a convolutional pass: each intermediate is exactly as large as it must be, freed when its last
// reader is done, and counted. Sizes differ by a factor of hundreds between levels, so one arena would hold
// the sum of what is never alive together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engines/tensor/tensor.h"

namespace engines {

// Bytes alive now, and at most so far.
struct MemoryCount {
  std::size_t live = 0;
  std::size_t peak = 0;
};

// Owns the planes of one intermediate, uninitialised at first; move-only. `count` must outlive it.
class Activation {
 public:
  Activation(MemoryCount& count, std::int64_t channels, std::int64_t height, std::int64_t width)
      : count_(&count),
        buffer_(static_cast<std::size_t>(channels * height * width)),
        planes_(buffer_.data(), channels, height, width) {
    count_->live += bytes();
    count_->peak = std::max(count_->peak, count_->live);
  }
  Activation(Activation&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)),
        buffer_(std::move(other.buffer_)),
        planes_(std::exchange(other.planes_, {})) {}
  Activation& operator=(Activation&& other) noexcept {
    std::swap(count_, other.count_);
    std::swap(buffer_, other.buffer_);
    std::swap(planes_, other.planes_);
    other.release();
    return *this;
  }
  Activation(const Activation&) = delete;
  Activation& operator=(const Activation&) = delete;
  ~Activation() { release(); }

  // Gives the memory back; the views of it end.
  void release() {
    if (count_) count_->live -= bytes();
    count_ = nullptr;
    buffer_ = {};
    planes_ = {};
  }

  operator Planes() const { return planes_; }
  operator ConstPlanes() const { return planes_; }
  const Planes& planes() const { return planes_; }
  // The same floats as channels x pixels.
  Rows rows() const { return {planes_.data, planes_.channels, planes_.plane_size()}; }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(planes_.size()) * sizeof(float); }

  MemoryCount* count_;
  FloatBuffer buffer_;
  Planes planes_;
};

}  // namespace engines
