// SPDX-License-Identifier: Apache-2.0
#include "engines/weights/choose_type.h"

namespace engines {

Dtype choose_type(Dtype requested, Dtype stored, std::int64_t row_length, std::int64_t elements,
                  WeightRole role) {
  if (role == WeightRole::vector) return Dtype::f32;
  if (!is_quantised(requested)) return requested;
  if (role != WeightRole::matrix || elements < kFewestRounded) return stored;
  if (row_length % block_length(requested) == 0) return requested;
  return row_length % block_length(Dtype::q8_0) == 0 ? Dtype::q8_0 : stored;
}

}  // namespace engines
