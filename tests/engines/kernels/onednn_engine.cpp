// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/onednn/onednn_kernels.h"
#include "tests/engines/kernels/products_support.h"

namespace engines::test {

const EngineUnderTest& engine_under_test() {
  static const EngineUnderTest engine{best_onednn_products() == Dtype::f32
                                          ? std::vector<Dtype>{Dtype::f32}
                                          : std::vector<Dtype>{Dtype::f32, Dtype::bf16},
                                      4, make_onednn_kernels};
  return engine;
}

}  // namespace engines::test
