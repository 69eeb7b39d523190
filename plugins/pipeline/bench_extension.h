// SPDX-License-Identifier: Apache-2.0
// rh.bench for an engine that says what it multiplies and how fast.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tensor/dtype.h"
#include "engines/tensor/error.h"
#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/plugin.hpp"

namespace roundhouse::pipeline {

// EngineType has
//   const std::vector<engines::Dtype>& products() const;  // the preferred one first, never empty
//   double measure_product(engines::Dtype operands, int m, int n, int k, double seconds);
template <class EngineType>
class BenchExtension {
 public:
  // What EngineType::extension answers to RH_BENCH_ID.
  static const rh_bench* get() {
    static constexpr rh_bench bench{sizeof(rh_bench), 0, &product, &matrix_rate};
    return &bench;
  }

 private:
  static constexpr std::uint32_t kLargestSide = 16384;

  static const char* product(const rh_engine* engine, std::uint32_t index) {
    if (engine == nullptr) return nullptr;
    const auto& products = engine_of<EngineType>(const_cast<rh_engine*>(engine)).products();
    return index < products.size() ? engines::name_of(products[index]).data() : nullptr;
  }

  static engines::Dtype chosen(const EngineType& engine, const char* name) {
    const auto& products = engine.products();
    if (name == nullptr) return products.front();
    const auto found = std::find_if(products.begin(), products.end(),
                                    [&](engines::Dtype dtype) { return engines::name_of(dtype) == name; });
    if (found != products.end()) return *found;
    throw Error(RH_INVALID_ARGUMENT, "product: '" + std::string(name) +
                                         "' is not one of this engine's, expected " + names(products));
  }

  static std::string names(const std::vector<engines::Dtype>& products) {
    std::string text;
    for (const engines::Dtype dtype : products)
      text += (text.empty() ? "" : " or ") + std::string(engines::name_of(dtype));
    return text;
  }

  static int side(const char* name, std::uint32_t value) {
    if (value >= 1 && value <= kLargestSide) return static_cast<int>(value);
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: {}, expected 1 to {}", name, value, kLargestSide));
  }

  static rh_status matrix_rate(rh_engine* engine, const char* product, std::uint32_t m, std::uint32_t n,
                               std::uint32_t k, double seconds, double* rate, rh_error* error) {
    return guard<engines::Error>(error, [&] {
      if (engine == nullptr || rate == nullptr) {
        throw Error(RH_INVALID_ARGUMENT, "matrix_rate: NULL, expected an engine and a place for the rate");
      }
      auto& self = engine_of<EngineType>(engine);
      *rate = self.measure_product(chosen(self, product), side("m", m), side("n", n), side("k", k), seconds);
    });
  }
};

}  // namespace roundhouse::pipeline
