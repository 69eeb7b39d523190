// SPDX-License-Identifier: Apache-2.0
// Owners and views. A view never frees; an owner says so in its name.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "engines/tensor/dtype.h"

namespace engines {

// Rows of float activations, each `cols` long, `stride` floats apart.
template <class T>
struct BasicRows {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  BasicRows() = default;
  BasicRows(T* d, std::int64_t r, std::int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  BasicRows(T* d, std::int64_t r, std::int64_t c, std::int64_t s) : data(d), rows(r), cols(c), stride(s) {}
  operator BasicRows<const T>() const { return {data, rows, cols, stride}; }

  T* row(std::int64_t r) const { return data + r * stride; }
  std::span<T> row_span(std::int64_t r) const { return {row(r), static_cast<std::size_t>(cols)}; }
  BasicRows slice_rows(std::int64_t first, std::int64_t count) const {
    return {row(first), count, cols, stride};
  }
  BasicRows slice_cols(std::int64_t first, std::int64_t count) const {
    return {data + first, rows, count, stride};
  }
  bool contiguous() const { return stride == cols; }
};
using Rows = BasicRows<float>;
using ConstRows = BasicRows<const float>;

// An image-like activation: channels x height x width. Each plane is contiguous; planes are `stride` floats
// apart.
template <class T>
struct BasicPlanes {
  T* data = nullptr;
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t stride = 0;

  BasicPlanes() = default;
  BasicPlanes(T* d, std::int64_t c, std::int64_t h, std::int64_t w) : BasicPlanes(d, c, h, w, h * w) {}
  BasicPlanes(T* d, std::int64_t c, std::int64_t h, std::int64_t w, std::int64_t s)
      : data(d), channels(c), height(h), width(w), stride(s) {}
  operator BasicPlanes<const T>() const { return {data, channels, height, width, stride}; }

  std::int64_t plane_size() const { return height * width; }
  std::int64_t size() const { return channels * plane_size(); }
  T* plane(std::int64_t c) const { return data + c * stride; }
  T* row(std::int64_t c, std::int64_t r) const { return plane(c) + r * width; }
  // The same rows of every plane.
  BasicPlanes slice_rows(std::int64_t first, std::int64_t count) const {
    return {data + first * width, channels, count, width, stride};
  }
  bool contiguous() const { return stride == plane_size(); }
};
using Planes = BasicPlanes<float>;
using ConstPlanes = BasicPlanes<const float>;

// A weight as it is stored: row-major, any alignment, borrowed from the file that it is mapped from or from
// the set that holds it. Rows (the last dimension) of a quantised one are whole blocks.
struct WeightView {
  const std::byte* data = nullptr;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;

  std::int64_t size() const {
    std::int64_t n = 1;
    for (const auto d : shape)
      n *= d;
    return n;
  }
  std::int64_t dim(std::size_t i) const { return shape.at(i); }
  std::int64_t bytes() const { return bytes_of(dtype, size()); }
};

// The whole weight as floats: for vectors (norms, biases), which are small.
std::vector<float> to_floats(const WeightView& weight);

// Owns floats aligned to 64 bytes, uninitialised.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  explicit FloatBuffer(std::size_t count);
  float* data() const { return data_.get(); }
  std::size_t size() const { return count_; }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float[], Free> data_;
  std::size_t count_ = 0;
};

// Owns one block of memory that activations are carved from; sized once, so that a step allocates nothing.
// Allocation is a bump of an offset; Scope gives everything allocated inside it back.
class Arena {
 public:
  explicit Arena(std::size_t floats) : buffer_(floats) {}

  // `count` floats aligned to 64 bytes, uninitialised. Throws engines::Error OUT_OF_MEMORY beyond the size.
  float* allocate(std::size_t count);
  Rows rows(std::int64_t r, std::int64_t c) { return {allocate(static_cast<std::size_t>(r * c)), r, c}; }
  Planes planes(std::int64_t c, std::int64_t h, std::int64_t w) {
    return {allocate(static_cast<std::size_t>(c * h * w)), c, h, w};
  }

  std::size_t capacity_bytes() const { return buffer_.size() * sizeof(float); }
  std::size_t peak_bytes() const { return peak_ * sizeof(float); }

  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), mark_(arena.used_) {}
    ~Scope() { arena_.used_ = mark_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    std::size_t mark_;
  };

 private:
  FloatBuffer buffer_;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
};

}  // namespace engines
