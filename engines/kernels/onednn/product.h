// SPDX-License-Identifier: Apache-2.0
// The one door to oneDNN: its matrix product, prepared once per shape.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engines/kernels/cpu/products.h"

namespace engines::onednn {

using cpu::Form;
using cpu::ProductShape;

class Product {
 public:
  explicit Product(const ProductShape& shape);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // Runs on the calling thread alone; may be called from several at once.
  void run(const void* a, const void* b, float* c) const;
  std::int64_t bytes_of_b() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The products of the shapes that came up, by shape.
class OneDnnProducts final : public cpu::Products {
 public:
  // `operands`: what describe() names, f32 or bf16.
  explicit OneDnnProducts(Dtype operands) : operands_(operands) {}

  void multiply(const ProductShape& shape, const void* a, const void* b, float* c) override {
    of(shape).run(a, b, c);
  }
  // Bounds the memory that shapes of former requests hold.
  void begin_operation() override;
  cpu::ProductSizes sizes() const override { return {.skinny = 4, .tile = 352, .keys = 352}; }
  cpu::Blocks cut_depth(std::int64_t k, const WeightView& w, bool in_place) const override;
  std::int64_t bytes_of_b(const ProductShape& shape) override { return of(shape).bytes_of_b(); }
  // Its code for each shape is made at run time.
  std::uint64_t scratch_bytes() const override { return std::uint64_t{20} << 20; }
  // "products", "onednn" and "onednn.isa".
  std::vector<std::pair<std::string, std::string>> describe() const override;

 private:
  // Made at the first call for a shape. From any thread; lives until begin_operation.
  const Product& of(const ProductShape& shape);

  Dtype operands_;
  std::mutex mutex_;
  std::map<ProductShape, Product> products_;  // under mutex_
};

// Whether the processor multiplies bf16 itself, and oneDNN was not told to do without (ONEDNN_MAX_CPU_ISA).
bool has_bf16_products();

}  // namespace engines::onednn
