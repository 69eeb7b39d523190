// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/products_support.h"

namespace engines::test {

const EngineUnderTest& engine_under_test() {
  static const EngineUnderTest engine{
      {Dtype::f32}, 128, [](int threads, Dtype) { return make_openblas_kernels(threads); }};
  return engine;
}

}  // namespace engines::test
