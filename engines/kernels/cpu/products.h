// SPDX-License-Identifier: Apache-2.0
// What an engine for processors adds to the rest of this folder: its matrix products. Everything that is made
// of products (linear, attention, convolution, measuring) is written once, over this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"
#include "engines/tensor/tensor.h"

namespace engines::cpu {

// How b lies: [k, n], [n, k], or as the library likes it best (for measuring; b is then any numbers).
enum class Form { plain, transposed, any };

// c[m,n] = a[m,k] * b + (add ? c : 0), sums and c in float32. ld* are the distances between rows in elements;
// for Form::any ldb is k. The operands lie at multiples of their element's size; what was in c is
// not read unless it is added to.
struct ProductShape {
  Dtype operands = Dtype::f32;  // of a and b: f32, or bf16 where an engine multiplies that
  Form form = Form::transposed;
  bool add = false;
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t lda = 0, ldb = 0, ldc = 0;

  friend bool operator<(const ProductShape& a, const ProductShape& b) {
    const auto key = [](const ProductShape& shape) {
      return std::tie(shape.operands, shape.form, shape.add, shape.m, shape.n, shape.k, shape.lda, shape.ldb,
                      shape.ldc);
    };
    return key(a) < key(b);
  }
};

// The sizes that suit an engine's products, in rows.
struct ProductSizes {
  // Up to so many rows of x, linear reads the stored weight for its dot products, in float32.
  std::int64_t skinny = 0;
  std::int64_t tile = 0;  // of y in linear, at most
  std::int64_t keys = 0;  // of k and v in attention at once, at most
};

class Products {
 public:
  virtual ~Products() = default;

  // One product, on the calling thread alone; may be called from several at once.
  virtual void multiply(const ProductShape& shape, const void* a, const void* b, float* c) = 0;
  // Told before an operation begins, while no product runs: what former shapes hold may be let go.
  virtual void begin_operation() {}

  virtual ProductSizes sizes() const = 0;
  // How linear cuts its sums of k >= 1 terms; `in_place`: a product can read w where it lies.
  virtual Blocks cut_depth(std::int64_t k, const WeightView& w, bool in_place) const = 0;
  // How many bytes of b a product of Form::any reads.
  virtual std::int64_t bytes_of_b(const ProductShape& shape) {
    return bytes_of(shape.operands, shape.n * shape.k);
  }
  // As Kernels::scratch_bytes.
  virtual std::uint64_t scratch_bytes() const { return Kernels::kUsualScratchBytes; }
  // What a person may want to know of the library.
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
};

}  // namespace engines::cpu
