// SPDX-License-Identifier: Apache-2.0
// The one door to oneDNN: its matrix product, prepared once per shape.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "engines/tensor/dtype.h"

namespace engines::onednn {

// How b lies: [k, n], [n, k], or as oneDNN likes it best (for measuring; b is then any numbers).
enum class Form { plain, transposed, any };

// c[m,n] = a[m,k] * b + (add ? c : 0), sums and c in float32. ld* are the distances between rows in elements;
// ldb counts nothing for Form::any.
struct ProductShape {
  Dtype operands = Dtype::f32;  // of a and b: f32 or bf16
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

class Product {
 public:
  explicit Product(const ProductShape& shape);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // Runs on the calling thread alone; may be called from several at once. The operands lie at multiples of
  // their element's size; what was in c is not read unless it is added to.
  void run(const void* a, const void* b, float* c) const;
  std::size_t bytes_of_b() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The products of the shapes that came up, by shape.
class Products {
 public:
  // Made at the first call for a shape. From any thread; lives until forget_if_many.
  const Product& of(const ProductShape& shape);
  // Bounds the memory that shapes of former requests hold. Not while one of the products runs.
  void forget_if_many();

 private:
  std::mutex mutex_;
  std::map<ProductShape, Product> products_;  // under mutex_
};

// Whether the processor multiplies bf16 itself, and oneDNN was not told to do without (ONEDNN_MAX_CPU_ISA).
bool has_bf16_products();

std::string library_version();       // "2.6.3"
std::string instruction_set_name();  // what oneDNN makes use of, such as "avx512_core_bf16"

}  // namespace engines::onednn
