// SPDX-License-Identifier: Apache-2.0
#include "engines/tensor/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engines/tensor/error.h"

namespace engines {
namespace {
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kAlignedFloats = kAlignment / sizeof(float);

std::size_t round_up(std::size_t count) {
  return (count + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
}
}  // namespace

std::vector<float> to_floats(const WeightView& weight) {
  std::vector<float> out(static_cast<std::size_t>(weight.size()));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = load_as_float(weight.data, weight.dtype, i);
  return out;
}

FloatBuffer::FloatBuffer(std::size_t count) : count_(count) {
  if (count > std::numeric_limits<std::size_t>::max() / 8) {
    throw Error(RH_OUT_OF_MEMORY, fmt::format("a buffer of {} floats is beyond the address space", count));
  }
  const std::size_t bytes = std::max(round_up(count), kAlignedFloats) * sizeof(float);
  data_.reset(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
  if (!data_)
    throw Error(RH_OUT_OF_MEMORY, fmt::format("a buffer of {} bytes could not be allocated", bytes));
}

float* Arena::allocate(std::size_t count) {
  const std::size_t rounded = round_up(count);
  if (rounded > buffer_.size() - used_) {
    throw Error(RH_OUT_OF_MEMORY,
                fmt::format("the arena of {} bytes is full at {}, {} more were asked for", capacity_bytes(),
                            used_ * sizeof(float), rounded * sizeof(float)));
  }
  float* p = buffer_.data() + used_;
  used_ += rounded;
  peak_ = std::max(peak_, used_);
  return p;
}

}  // namespace engines
